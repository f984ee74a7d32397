//! Everything that can go wrong below the JSON, each with its class and a message that names it.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use price_cache_domain::FailureClass::{
    Credentials, InvalidAnswer, NotFound, RateLimited, Rejected, ServerError, Timeout, Transport,
};
use tokio::io::AsyncWriteExt;

use crate::support::{assert_fault, fetch, plain, price, source};
use price_cache_simulator::raw::{BlackHole, RawServer, Reply, Then, answer, ok};

const GOOD: &str = r#"{"amount": "19.90", "currency": "EUR"}"#;

/// Short limits: these tests wait for them.
const LIMITS: &str = "[source.limits]\nfirst_byte = \"150ms\"\ntotal = \"300ms\"";

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

async fn against(reply: Reply) -> Result<price_cache_domain::Fetched, price_cache_domain::Fault> {
    let server = RawServer::always(reply).await.unwrap();
    fetch(&source(&plain(&server.base_url, LIMITS))).await
}

#[tokio::test]
async fn no_connection_says_why() {
    // Nothing listens on the port of a service that is no longer in use, and the system gives it to nobody.
    let refused = fetch(&source(&plain("http://127.0.0.1:1", ""))).await;
    assert_fault(refused, Transport, "refused");
    let unknown = fetch(&source(&plain("http://no-such-host.invalid", ""))).await;
    assert_fault(unknown, Transport, "no-such-host.invalid");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let speaks_http = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let source = source(&plain(&format!("https://{address}"), ""));
    let (_stream, tls) = tokio::join!(speaks_http, fetch(&source));
    assert_fault(tls, Transport, "no TLS connection to 127.0.0.1");
}

#[tokio::test]
async fn silence_ends_with_the_limit_that_it_broke() {
    let drip = |bytes: &str| Then::Repeat(bytes.as_bytes().to_vec(), Duration::from_millis(10));
    for (head, then, part) in [
        ("", Then::Hang, "source.limits.first_byte"),
        ("HTTP/1.1 200 OK\r\nX-A: ", drip("x"), "source.limits.first_byte"),
        ("", drip("HTTP/1.1 103 Early Hints\r\n\r\n"), "source.limits.first_byte"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", drip(" "), "source.limits.total"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", Then::Hang, "source.limits.total"),
    ] {
        let fault = assert_fault(against(Reply(head.into(), then)).await, Timeout, part);
        assert!(fault.failure.message().contains("GET /p/p"), "{fault}");
    }
}

#[tokio::test]
async fn a_flood_of_interim_answers_ends_too() {
    let flood = Then::Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(200), Duration::ZERO);
    assert_fault(against(Reply(Vec::new(), flood)).await, Timeout, "first_byte");
}

#[tokio::test]
async fn broken_connections_are_of_the_transport() {
    for (bytes, then) in [
        ("", Then::Close),
        ("", Then::Reset),
        ("HTTP/1.1 20", Then::Reset),
        ("HTTP/1.1 20", Then::Close),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"amount\"", Then::Close),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"amount\"", Then::Reset),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"am", Then::Close),
    ] {
        assert_fault(against(Reply(bytes.into(), then)).await, Transport, "the connection");
    }
}

#[tokio::test]
async fn answers_that_are_not_http_are_invalid() {
    let huge_header =
        format!("HTTP/1.1 200 OK\r\nX-A: {}\r\nContent-Length: 2\r\n\r\n{{}}", "x".repeat(1 << 20));
    for (bytes, part) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}", "not correct HTTP"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "not correct HTTP"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "not correct HTTP"),
        (huge_header.as_str(), "headers of the answer are too large"),
    ] {
        assert_fault(against(Reply(bytes.into(), Then::Close)).await, InvalidAnswer, part);
    }
}

#[tokio::test]
async fn bodies_are_limited_after_decompression() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\n{";
    let endless = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    for reply in [
        answer("200 OK", "Content-Encoding: gzip\r\n", bomb),
        Reply(long.into(), Then::Hang),
        Reply(endless.into(), Then::Repeat(vec![b' '; 1 << 16], Duration::ZERO)),
    ] {
        let server = RawServer::always(reply).await.unwrap();
        let limits = "[source.limits]\nbody_bytes = 1048576\ntotal = \"20s\"";
        let result = fetch(&source(&plain(&server.base_url, limits))).await;
        assert_fault(result, InvalidAnswer, "larger than 1048576 bytes (source.limits.body_bytes)");
    }
}

#[tokio::test]
async fn compression_is_undone_or_the_answer_is_invalid() {
    let zipped = gzip(GOOD.as_bytes());
    let server = RawServer::always(answer("200 OK", "Content-Encoding: gzip\r\n", &zipped)).await.unwrap();
    let good = source(&plain(&server.base_url, ""));
    assert_eq!(price(&good, "US", "p").await.unwrap(), "19.90 EUR");
    for (headers, body, part) in [
        (
            "Content-Encoding: gzip\r\n",
            zipped[..zipped.len() - 12].to_vec(),
            "be decompressed: unexpected end of file",
        ),
        ("Content-Encoding: gzip\r\n", GOOD.into(), "cannot be decompressed"),
        ("Content-Encoding: br\r\n", zipped.clone(), "cannot be decompressed: brotli error"),
        ("", zipped.clone(), "not UTF-8"),
        ("Content-Encoding: zstd\r\n", zipped, "encoded as zstd"),
    ] {
        assert_fault(against(answer("200 OK", headers, body)).await, InvalidAnswer, part);
    }
}

#[tokio::test]
async fn each_status_has_its_class_and_its_number() {
    for (status, headers, class, wait) in [
        ("500 Oops", "", ServerError, None),
        ("503 Busy", "", ServerError, None),
        ("503 Busy", "Retry-After: 3\r\n", RateLimited, Some(3)),
        ("429 Slow down", "", RateLimited, None),
        ("429 Slow down", "Retry-After: 120\r\n", RateLimited, Some(120)),
        ("429 Slow down", "Retry-After: -1\r\n", RateLimited, Some(1)),
        ("429 Slow down", "Retry-After: 1000000000\r\n", RateLimited, Some(1_000_000_000)),
        ("429 Slow down", "Retry-After: soon\r\n", RateLimited, Some(1)),
        ("429 Slow down", "Retry-After: 6.0\r\n", RateLimited, Some(6)),
        ("429 Slow down", "Retry-After: 3\r\nRetry-After: 5\r\n", RateLimited, Some(5)),
        ("429 Slow down", "X-Rate-Limit-Time-Reset-Ms: 4000\r\n", RateLimited, Some(4)),
        ("503 Busy", "x-ms-retry-after-ms: 2000\r\n", RateLimited, Some(2)),
        ("503 Busy", "RateLimit-Reset: 9\r\n", ServerError, Some(9)),
        ("503 Busy", "RateLimit-Reset: 9\r\nRateLimit-Remaining: 70\r\n", ServerError, None),
        ("500 Oops", "RateLimit-Reset: 9\r\n", ServerError, None),
        ("404 Not Found", "", NotFound, None),
        ("410 Gone", "", NotFound, None),
        ("401 Unauthorized", "", Credentials, None),
        ("403 Forbidden", "", Credentials, None),
        ("400 Bad Request", "", Rejected, None),
        ("422 Odd", "", Rejected, None),
        ("304 Not Modified", "", InvalidAnswer, None),
        ("204 No Content", "", InvalidAnswer, None),
    ] {
        let reply = if status.starts_with("304") || status.starts_with("204") {
            Reply(format!("HTTP/1.1 {status}\r\n\r\n").into(), Then::Keep)
        } else {
            answer(status, headers, "<h1>why</h1>")
        };
        let fault = assert_fault(against(reply).await, class, &status[..3]);
        assert_eq!(fault.status_code.map(|code| code.to_string()).as_deref(), Some(&status[..3]));
        assert_eq!(fault.retry_after.map(|wait| wait.as_secs()), wait, "{status} {headers}");
    }
}

#[tokio::test]
async fn a_connection_closed_between_requests_costs_nothing_or_a_transport_fault() {
    let server = RawServer::always(Reply(ok(GOOD).0, Then::Close)).await.unwrap();
    let source = source(&plain(&server.base_url, LIMITS));
    for _ in 0..20 {
        match price(&source, "US", "p").await {
            Ok(text) => assert_eq!(text, "19.90 EUR"),
            Err(fault) => {
                assert_fault::<()>(Err(fault), Transport, "connection");
            }
        }
    }
}

#[tokio::test]
async fn requests_one_after_another_share_a_connection() {
    let server = RawServer::start(|request| match request.contains("/p/missing") {
        true => answer("404 Not Found", "", "no"),
        false => ok(GOOD),
    })
    .await
    .unwrap();
    let source = source(&plain(&server.base_url, ""));
    for id in ["p", "missing"].repeat(10) {
        assert_eq!(price(&source, "US", id).await.is_ok(), id == "p");
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 20));
}

#[tokio::test]
async fn a_server_that_accepts_nobody_runs_into_the_limit_for_connecting() {
    let black_hole = BlackHole::open().await.unwrap();
    let address = black_hole.address();
    let limits = "[source.limits]\nconnect = \"100ms\"";
    let result = fetch(&source(&plain(&format!("http://{address}"), limits))).await;
    assert_fault(result, Timeout, "no connection to 127.0.0.1 within 100ms (source.limits.connect)");
}
