//! Requests that are wrong in one way each: every one gets a problem document that says which.

use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;

use crate::world::{RUN, World};

async fn empty() -> World {
    World::new(ScriptedSource::new()).await
}

#[tokio::test]
async fn unknown_routes_are_404() {
    let world = empty().await;
    for path in [
        "/api",
        "/api/",
        "/api/cache/prices",
        "/api/cache/prices/status/",
        "/api/cache/prices/x",
        "/api/prices/",
        "/api/prices/a/",
        "/api/prices/a/b/c",
        "//",
        "/API/prices",
        "/health",
        "/favicon.ico",
        "/api/prices/../prices/a/b",
        "/%2e%2e/etc/passwd",
        "/%3Cscript%3E",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let detail = world.request(method, path, &[], b"").await.problem(404, path);
            assert!(detail.contains("route"), "{detail}");
        }
    }
    assert_eq!(world.request("HEAD", "/nowhere", &[], b"").await.status, 404);
}

#[tokio::test]
async fn wrong_methods_are_405_and_told_the_right_ones() {
    let world = empty().await;
    for (method, path, allowed) in [
        ("GET", "/api/cache/prices/start", "POST"),
        ("PUT", "/api/cache/prices/stop", "POST"),
        ("DELETE", "/api/cache/prices/reset", "POST"),
        ("GET", "/api/cache/prices/retry-failed", "POST"),
        ("POST", "/api/cache/prices/status", "GET,HEAD"),
        ("POST", "/api/cache/prices/logs", "GET,HEAD,DELETE"),
        ("DELETE", "/api/cache/prices/errors", "GET,HEAD"),
        ("POST", "/api/prices", "GET,HEAD"),
        ("DELETE", "/api/prices/uk", "GET,HEAD"),
        ("PATCH", "/api/prices/uk/1", "GET,HEAD"),
        ("POST", "/health/live", "GET,HEAD"),
        ("TRACE", "/health/live", "GET,HEAD"),
        ("BREW", "/health/ready", "GET,HEAD"),
    ] {
        let answer = world.request(method, path, &[], b"").await;
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        let detail = answer.problem(405, path);
        assert!(detail.contains(method) && detail.contains(path), "{detail}");
        let options = world.request("OPTIONS", path, &[], b"").await;
        assert_eq!((options.status, options.header("allow")), (204, Some(allowed)), "OPTIONS {path}");
        assert_eq!(options.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let world = World::in_state(RunStatus::Completed).await;
    for path in ["/api/cache/prices/logs", "/api/prices/at/1", "/api/prices/at/none", "/health/live"] {
        let (get, head) = (world.get(path).await, world.request("HEAD", path, &[], b"").await);
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty());
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
    // It must not be taken for the command.
    assert_eq!(world.request("HEAD", "/api/cache/prices/reset", &[], b"").await.status, 405);
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Completed);
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let world = World::in_state(RunStatus::Completed).await;
    for (path, query, told) in [
        ("/api/cache/prices/status", "verbose=1", "verbose"),
        ("/api/cache/prices/logs", "limit=0", "limit"),
        ("/api/cache/prices/logs", "limit=-1", "limit"),
        ("/api/cache/prices/logs", "limit=10001", "10000"),
        ("/api/cache/prices/logs", "limit=99999999999999999999999", "limit"),
        ("/api/cache/prices/logs", "limit=1.5", "limit"),
        ("/api/cache/prices/logs", "limit=", "limit"),
        ("/api/cache/prices/logs", "limit", "limit"),
        ("/api/cache/prices/logs", "limit=5&limit=6", "twice"),
        ("/api/cache/prices/logs", "page=0", "page"),
        ("/api/cache/prices/logs", "pageSize=1001", "pageSize"),
        ("/api/cache/prices/logs", "page_size=10", "page_size"),
        ("/api/cache/prices/logs", "success=yes", "success"),
        ("/api/cache/prices/logs", "market=%ff", "UTF-8"),
        ("/api/cache/prices/logs", "market=%zz", "percent"),
        ("/api/cache/prices/logs", "market=%", "percent"),
        ("/api/cache/prices/logs", "market=a%0Ab", "control"),
        ("/api/cache/prices/errors", "class=none", "timeout"),
        ("/api/cache/prices/errors", "limit=1001", "1000"),
        ("/api/cache/prices/errors", "after=somewhere", "next"),
        ("/api/cache/prices/errors", "market=", "empty"),
        ("/api/prices", "limit=1", "limit"),
        ("/api/prices/at", "limit=1001", "1000"),
        ("/api/prices/at", "before=1", "before"),
        ("/api/prices/at", "after=", "empty"),
        ("/api/prices/at/1", "currency=EUR", "currency"),
    ] {
        let detail = world.get(&format!("{path}?{query}")).await.problem(400, path);
        assert!(detail.contains(told), "{query}: {detail}");
    }
    for command in ["/start", "/stop", "/reset", "/retry-failed"] {
        world.post(&format!("{command}?force=true")).await.problem(400, &format!("{RUN}{command}"));
    }
    world.delete("/logs?older=1").await.problem(400, "/api/cache/prices/logs");
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Completed, "nothing of this was done");
    world.get("/api/cache/prices/status?").await.ok(200);
}

#[tokio::test]
async fn ids_in_the_path_are_read_strictly() {
    let world = World::in_state(RunStatus::Completed).await;
    let long = "x".repeat(513);
    for (path, told) in [
        ("/api/prices/at/%zz".to_owned(), "percent"),
        ("/api/prices/at/%".to_owned(), "percent"),
        ("/api/prices/at/%f".to_owned(), "percent"),
        ("/api/prices/at/%ff".to_owned(), "UTF-8"),
        ("/api/prices/%C3/1".to_owned(), "UTF-8"),
        ("/api/prices/at/a%00b".to_owned(), "control"),
        ("/api/prices/at/a%0D%0Ab".to_owned(), "control"),
        ("/api/prices/a%7Ft".to_owned(), "control"),
        (format!("/api/prices/at/{long}"), "512"),
        (format!("/api/prices/{long}"), "512"),
    ] {
        let detail = world.get(&path).await.problem(400, &path);
        assert!(detail.contains(told), "{path}: {detail}");
    }
    for (path, told) in [
        ("/api/prices/fr/1", "market is unknown"),
        ("/api/prices/at/9", "product is unknown"),
        ("/api/prices/fr", "\"fr\""),
        ("/api/prices/AT", "\"AT\""),
        // Known, but never with success.
        ("/api/prices/uk/x", "the shop has no such product"),
    ] {
        let detail = world.get(path).await.problem(404, path);
        assert!(detail.contains(told), "{path}: {detail}");
    }
    let detail = world.run("/errors?market=fr").await.problem(404, "/api/cache/prices/errors");
    assert!(detail.contains("\"fr\""), "{detail}");
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = World::in_state(RunStatus::Completed).await;
    for (command, body, status, told) in [
        ("/reset", "{", 400, "EOF"),
        ("/reset", "{} {}", 400, "trailing"),
        ("/reset", "{\"keep_prices\": true,}", 400, "trailing comma"),
        ("/reset", "\u{feff}{}", 400, "column"),
        ("/reset", "{\"keepPrices\": true}", 422, "keepPrices"),
        ("/reset", "{\"keep_prices\": \"yes\"}", 422, "boolean"),
        ("/reset", "{\"keep_prices\": null}", 422, "null"),
        ("/reset", "{\"keep_prices\": true, \"keep_prices\": false}", 422, "duplicate"),
        ("/reset", "[true]", 422, "object"),
        ("/reset", "7", 422, "object"),
        ("/retry-failed", "{\"market\": 7}", 422, "integer"),
        ("/retry-failed", "{\"market\": \"\"}", 422, "market"),
        ("/retry-failed", "{\"class\": \"odd\"}", 422, "timeout"),
        ("/retry-failed", "{\"markets\": [\"uk\"]}", 422, "markets"),
        ("/start", "{\"force\": true}", 400, "no body"),
        ("/stop", "now", 400, "no body"),
    ] {
        let detail = world.post_json(command, body).await.problem(status, &format!("{RUN}{command}"));
        assert!(detail.contains(told), "{body}: {detail}");
    }
    let deep = "[".repeat(5_000);
    world.post_json("/reset", &deep).await.problem(400, "/api/cache/prices/reset");
    let path = "/api/cache/prices/reset";
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let line = format!("Content-Type: {media_type}");
        let answer = world.request("POST", path, &[&line], b"{}").await;
        assert!(answer.problem(415, path).contains("application/json"));
    }
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Completed, "nothing of this was done");
    // What well-meaning clients send.
    let line = "Content-Type: Application/JSON; charset=utf-8";
    world.request("POST", path, &[line], b" {\"keep_prices\": true}\n").await.ok(200);
    world.post_json("/stop", "{}").await.ok(200);
    world.request("POST", path, &["Content-Type: text/plain"], b"").await.ok(200);
}

#[tokio::test]
async fn bodies_too_large_are_413_however_they_are_sent() {
    let world = empty().await;
    let path = "/api/cache/prices/reset";
    let large = vec![b' '; 64 * 1024 + 1];
    for command in ["/reset", "/start", "/retry-failed"] {
        let path = format!("{RUN}{command}");
        let detail = world.request("POST", &path, &["Content-Type: application/json"], &large).await;
        assert!(detail.problem(413, &path).contains("65536"));
    }
    // One byte less is read.
    world.request("POST", path, &[], &large[1..]).await.ok(200);
    let mut connection = crate::client::Connection::open(world.address).await;
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.send(head).await;
    for _ in 0..65 {
        connection.send([b"400\r\n", [b' '; 0x400].as_slice(), b"\r\n"].concat()).await;
    }
    connection.send("0\r\n\r\n").await;
    connection.answer().await.unwrap().problem(413, path);
    // Announced only: who waits for a permission is told before sending.
    let mut connection = crate::client::Connection::open(world.address).await;
    connection
        .send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        ))
        .await;
    connection.answer().await.unwrap().problem(413, path);
}
