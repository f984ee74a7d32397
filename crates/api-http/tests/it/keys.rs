//! API keys: where one is needed, what is one, and what is told of them.

use std::net::SocketAddr;

use price_cache_api_http::{ApiKeyHash, Server, ServerOptions};
use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;

use crate::client::Answer;
use crate::stream::{EVENTS, Stream, ask};
use crate::world::{RUN, World, options};

const KEY: &str = "correct-horse-battery-staple";
const OTHER_KEY: &str = "another key, with spaces";

fn with_keys() -> ServerOptions {
    ServerOptions { api_keys: vec![ApiKeyHash::of(KEY), ApiKeyHash::of(OTHER_KEY)], ..options() }
}

fn refused(answer: &Answer, path: &str) -> String {
    let detail = answer.problem(401, path);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert!(!detail.contains("staple"), "{detail}");
    detail
}

/// Everything that is behind the key, and a status that shows that it was let in.
const BEHIND: [(&str, &str, u16); 14] = [
    ("GET", "/api/cache/prices/status", 200),
    ("GET", "/api/cache/prices/logs", 200),
    ("GET", "/api/cache/prices/errors", 200),
    ("GET", "/api/cache/prices/transitions", 200),
    ("DELETE", "/api/cache/prices/logs", 200),
    ("POST", "/api/cache/prices/stop", 200),
    ("POST", "/api/cache/prices/retry-failed", 409),
    ("POST", "/api/cache/prices/reset", 200),
    ("GET", "/api/prices", 200),
    ("GET", "/api/prices/at", 404),
    ("GET", "/api/prices/at/1", 404),
    ("GET", "/api/nothing", 404),
    ("PUT", "/api/prices", 405),
    ("GET", "/metrics", 200),
];

#[tokio::test]
async fn the_api_and_the_metrics_need_a_key_and_the_rest_does_not() {
    let world = World::with(ScriptedSource::new(), with_keys()).await;
    let bearer = |key: &str| format!("Authorization: Bearer {key}");
    for (method, path, status) in BEHIND {
        for line in [
            "A: b",
            "Authorization: Bearer",
            "Authorization: Basic Y29ycmVjdA==",
            &format!("Authorization: {KEY}"),
            &bearer("wrong"),
            &bearer(&KEY[1..]),
            &bearer(&format!("{KEY}x")),
            &bearer(&KEY.to_uppercase()),
            &format!("X-Api-Key: {KEY}"),
            &format!("Cookie: Authorization={KEY}"),
        ] {
            let answer = world.request(method, path, &[line], b"").await;
            let detail = refused(&answer, path);
            let is_wrong = line.starts_with("Authorization: Bearer ");
            assert_eq!(detail.contains("not one of"), is_wrong, "{line}: {detail}");
        }
        for key in [KEY, OTHER_KEY] {
            let answer = world.request(method, path, &[&bearer(key)], b"").await;
            assert_eq!(answer.status, status, "{method} {path}");
        }
    }
    for (path, status) in [
        ("/", 200),
        ("/dashboard/main.js", 200),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/nothing", 404),
    ] {
        assert_eq!(world.get(path).await.status, status, "{path}");
    }
    // In the query it would stand in the logs of proxies.
    let in_query = world.get(&format!("/metrics?key={KEY}")).await;
    refused(&in_query, "/metrics");
    let twice = [bearer(KEY), bearer(KEY)];
    let twice: Vec<&str> = twice.iter().map(String::as_str).collect();
    refused(&world.request("GET", "/api/prices", &twice, b"").await, "/api/prices");
}

#[tokio::test]
async fn events_need_a_key_too() {
    let world = World::with(ScriptedSource::new(), with_keys()).await;
    let answer = Stream::answered(ask(&world, &[]).await).await.err().unwrap();
    refused(&answer, EVENTS);
    let line = format!("Authorization: bearer {KEY}");
    assert!(Stream::open(&world, &[&line]).await.next().await.unwrap().is_status("IDLE"));
}

#[tokio::test]
async fn a_key_does_not_open_what_is_closed_to_everyone() {
    let world = World::with(ScriptedSource::new(), with_keys()).await;
    let key = format!("Authorization: Bearer {KEY}");
    let path = format!("{RUN}/start");
    for foreign in ["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"] {
        world.request("POST", &path, &[&key, foreign], b"").await.problem(403, &path);
    }
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Idle);
}

#[tokio::test]
async fn a_thousand_wrong_keys_change_nothing() {
    let world = World::with(ScriptedSource::new(), with_keys()).await;
    let path = format!("{RUN}/start");
    for number in 0..1_000 {
        let line = format!("Authorization: Bearer {number}");
        refused(&world.request("POST", &path, &[&line], b"").await, &path);
    }
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Idle);
    let line = format!("Authorization: Bearer {KEY}");
    world.request("POST", &path, &[&line], b"").await.ok(202);
}

#[tokio::test]
async fn with_a_key_other_addresses_than_loopback_may_be_listened_on() {
    let listen: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = Server::bind(ServerOptions { listen, ..options() });
    let sentence = refused.err().unwrap().to_string();
    for part in ["0.0.0.0:0", "server.api_keys", "sha256sum"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    let (server, _) = Server::bind(ServerOptions { listen, ..with_keys() }).unwrap();
    assert!(server.address().ip().is_unspecified());
}
