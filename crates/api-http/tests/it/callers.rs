//! Who is answered: hosts, pages of other origins, and the headers that every answer carries.

use price_cache_api_http::ServerOptions;
use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;

use crate::client::{Answer, Connection};
use crate::world::{World, options};

async fn send(world: &World, request: &str) -> Answer {
    let mut connection = Connection::open(world.address).await;
    connection.send(request).await;
    connection.answer().await.unwrap()
}

const LIVE: &str = "/health/live";

#[tokio::test]
async fn only_loopback_and_allowed_hosts_are_answered() {
    let allowed_hosts = vec!["prices.example".to_owned(), "[fd00::1]".to_owned()];
    let world = World::with(ScriptedSource::new(), ServerOptions { allowed_hosts, ..options() }).await;
    for host in [
        "localhost",
        "LocalHost:80",
        "127.0.0.1",
        "127.0.0.1:4680",
        "127.9.9.9",
        "[::1]",
        "[::1]:4680",
        "prices.example",
        "Prices.Example:8443",
        "[fd00::1]:1",
    ] {
        send(&world, &format!("GET {LIVE} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await.ok(200);
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "evil.example:4680",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::2]:80",
        "localhost@evil.example",
        "evil.example@localhost",
        "prices.example.",
        "localhost,evil.example",
        "",
        "localhost:80:80",
        "prices.example:port",
    ] {
        let answer = send(&world, &format!("GET {LIVE} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        answer.problem(403, LIVE);
    }
    let detail = send(&world, &format!("GET {LIVE} HTTP/1.1\r\nHost: evil.example\r\n\r\n")).await;
    let detail = detail.problem(403, LIVE);
    assert!(detail.contains("evil.example") && detail.contains("allowed_hosts"), "{detail}");
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let world = World::new(ScriptedSource::new()).await;
    let request = |hosts: &str| format!("GET {LIVE} HTTP/1.1\r\n{hosts}\r\n");
    send(&world, &request("")).await.problem(400, LIVE);
    send(&world, &request("Host: localhost\r\nHost: localhost\r\n")).await.problem(400, LIVE);
    send(&world, &request("Host: localhost\r\nHost: evil.example\r\n")).await.problem(400, LIVE);
    // As proxies are asked; the host of the target is the one that counts.
    let absolute = |host: &str| format!("GET http://{host}{LIVE} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    send(&world, &absolute("localhost:1")).await.ok(200);
    send(&world, &absolute("evil.example")).await.problem(403, LIVE);
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let world = World::in_state(RunStatus::Completed).await;
    let own = format!("Origin: http://{}", world.address);
    let path = "/api/cache/prices/reset";
    for lines in [
        vec!["Sec-Fetch-Site: cross-site"],
        vec!["Sec-Fetch-Site: same-site"],
        vec!["Sec-Fetch-Site: cross-site", &own],
        vec!["Sec-Fetch-Site: nonsense"],
        vec!["Origin: https://evil.example"],
        vec!["Origin: null"],
        vec!["Origin: http://127.0.0.1:1"],
        vec!["Origin: http://127.0.0.1"],
        vec!["Origin: "],
        vec!["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
        vec!["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"],
        vec!["Origin: https://evil.example", &own],
        vec![&own, "Origin: https://evil.example"],
    ] {
        for (method, path) in [("POST", path), ("DELETE", "/api/cache/prices/logs")] {
            let detail = world.request(method, path, &lines, b"").await.problem(403, path);
            assert!(detail.contains("origin"), "{detail}");
        }
        // Reading is another matter: without CORS headers the page cannot see the answer.
        let answer = world.request("GET", "/api/cache/prices/status", &lines, b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), None);
        answer.ok(200);
    }
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Completed);
    for lines in [vec![], vec!["Sec-Fetch-Site: none"], vec!["Sec-Fetch-Site: same-origin", &own], vec![&own]]
    {
        world.request("POST", path, &lines, b"").await.ok(200);
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::in_state(RunStatus::Completed).await;
    let long = format!("/{}", "x".repeat(9_000));
    for (method, target, line, status) in [
        ("GET", "/api/cache/prices/status", "A: b", 200),
        ("GET", "/api/prices/at/1", "If-None-Match: *", 304),
        ("OPTIONS", "/api/prices/at/1", "A: b", 204),
        ("GET", "/nowhere", "A: b", 404),
        ("PUT", "/health/live", "A: b", 405),
        ("POST", "/api/cache/prices/stop", "Origin: null", 403),
        ("GET", "/api/prices/%ff", "A: b", 400),
        ("GET", long.as_str(), "A: b", 414),
        ("GET", "/api/cache/prices/status?x=1", "A: b", 400),
    ] {
        let answer = world.request(method, target, &[line], b"").await;
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(
            answer.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'")
        );
        let cache = if status == 304 { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(cache), "{target}");
    }
}
