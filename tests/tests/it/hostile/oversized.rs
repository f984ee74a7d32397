//! Too much of everything that a request has.

use anyhow::{Context, ensure};

use super::Attacked;

const RUN: &str = "/api/cache/prices";

struct Case {
    what: &'static str,
    request: String,
    status: u16,
    /// Refused before it is understood, so that the status is all there is.
    is_bare: bool,
}

fn get(what: &'static str, target: &str, lines: &str, status: u16) -> Case {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    Case { what, request, status, is_bare: false }
}

fn post(what: &'static str, lines: &str, body: &str, status: u16) -> Case {
    let request = format!("POST {RUN}/reset HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n{body}");
    Case { what, request, status, is_bare: false }
}

fn with_length(what: &'static str, body: &str, status: u16) -> Case {
    post(what, &format!("Content-Length: {}", body.len()), body, status)
}

fn bare(case: Case) -> Case {
    Case { is_bare: true, ..case }
}

fn cases() -> Vec<Case> {
    let long = |bytes: usize| "x".repeat(bytes);
    let chunked = |count: usize| {
        let chunk = format!("1000\r\n{}\r\n", long(4_096));
        format!("{}0\r\n\r\n", chunk.repeat(count))
    };
    let live = " /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const CHUNKED: &str = "Transfer-Encoding: chunked";
    vec![
        get("a path", &format!("/{}", long(9_000)), "", 414),
        get("a query", &format!("{RUN}/status?{}", long(9_000)), "", 414),
        bare(get("a path beyond what is read", &format!("/{}", long(70_000)), "", 414)),
        get("one header", "/health/live", &format!("A: {}\r\n", long(17_000)), 431),
        get("headers together", "/health/live", &format!("A: {}\r\n", long(1_000)).repeat(20), 431),
        get("the number of headers", "/health/live", &"A: b\r\n".repeat(100), 431),
        bare(get(
            "one header beyond what is read",
            "/health/live",
            &format!("A: {}\r\n", long(1_000_000)),
            431,
        )),
        bare(get("headers beyond what is read", "/health/live", &"A: b\r\n".repeat(10_000), 431)),
        get("a cookie", "/health/live", &format!("Cookie: {}\r\n", long(17_000)), 431),
        get("an event id", &format!("{RUN}/events"), &format!("Last-Event-ID: {}\r\n", long(17_000)), 431),
        with_length("a body", &long(65_537), 413),
        with_length("a large body", &long(900_000), 413),
        post("an announced body", "Content-Length: 1000000000000000000", "", 413),
        post("an announced body, after asking", "Content-Length: 10000000\r\nExpect: 100-continue", "", 413),
        post("a body in chunks", CHUNKED, &chunked(17), 413),
        post("a body in many chunks", CHUNKED, &format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(70_000)), 413),
        bare(post("a length beyond numbers", "Content-Length: 99999999999999999999999", "", 400)),
        bare(post("a negative length", "Content-Length: -1", "", 400)),
        bare(post("two lengths", "Content-Length: 2\r\nContent-Length: 3", "{}", 400)),
        post("a chunk beyond numbers", CHUNKED, "FFFFFFFFFFFFFFFFF\r\nx", 400),
        post("a chunk that is none", CHUNKED, "zz\r\nx", 400),
        post("the extensions of a chunk", CHUNKED, &format!("1;{}\r\n", long(20_000)), 400),
        get("a number", &format!("{RUN}/logs?limit=99999999999999999999"), "", 400),
        get("a count", &format!("{RUN}/logs?limit=10001"), "", 400),
        get("a cursor", &format!("{RUN}/errors?after={}", long(7_000)), "", 400),
        get("a product in a query", &format!("/api/prices/M001?after={}", long(7_000)), "", 400),
        get("a product in a path", &format!("/api/prices/M001/{}", long(7_000)), "", 400),
        get("a market in a path", &format!("/api/prices/{}", long(7_000)), "", 400),
        get("the number of parameters", &format!("{RUN}/logs?{}", "limit=1&".repeat(900)), "", 400),
        with_length("the depth of JSON", &"[".repeat(60_000), 400),
        with_length("the depth of lists", &format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)), 422),
        with_length("the depth of a member", &format!("{{\"keep_prices\":{}", "[".repeat(60_000)), 422),
        with_length("the depth of objects", &"{\"a\":".repeat(10_000), 422),
        with_length("a text in JSON", &format!("{{\"keep_prices\":\"{}\"}}", long(60_000)), 422),
        with_length("a number in JSON", &format!("{{\"keep_prices\":{}}}", "9".repeat(60_000)), 400),
        with_length("members of JSON", &format!("{{{}\"keep_prices\":true}}", "\"a\":1,".repeat(9_000)), 422),
        Case { request: format!("{}{live}", "x".repeat(3_000)), ..get("a method", "", "", 405) },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_of_anything_is_refused_with_its_own_status() -> anyhow::Result<()> {
    let attacked = Attacked::new().await?;
    let mut wrong = Vec::new();
    for Case { what, request, status, is_bare } in cases() {
        let answer = match attacked.send(request).await {
            Ok(answer) => answer,
            Err(error) => {
                wrong.push(format!("{what}: {error:#}"));
                continue;
            }
        };
        if answer.status != status || (!is_bare && answer.problem().is_err()) {
            wrong.push(format!(
                "{what}: {status} expected: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            ));
        }
        // The server is as well as before.
        attacked.server.api.get("/health/ready").await.context(what)?;
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    attacked.ends_untouched().await
}
