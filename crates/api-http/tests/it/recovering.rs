//! A server whose run is still being recovered: alive, not ready, as guarded as ever, and then at once itself.

use std::net::SocketAddr;
use std::sync::Arc;

use price_cache_api_http::{ApiKeyHash, Readiness, Server, ServerOptions};
use price_cache_engine::{CacheService, Handle, Options, Ports};
use price_cache_testkit::{ManualClock, MemoryStore, ScriptedSource};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Connection, within};
use crate::world::{RUN, options};

struct Recovering {
    address: SocketAddr,
    readiness: Readiness,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
}

fn recovering(options: ServerOptions) -> Recovering {
    let (server, readiness) = Server::bind(options).unwrap();
    let (address, stopping) = (server.address(), CancellationToken::new());
    let serving = tokio::spawn(server.serve(stopping.clone()));
    Recovering { address, readiness, stopping, serving }
}

async fn engine() -> Handle {
    let source = ScriptedSource::new().with_market("at", &["1"]);
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
    let ports = Ports { store, source: Arc::new(source), clock };
    CacheService::new(ports, Options::default()).open().await.unwrap().0
}

async fn send(connection: &mut Connection, head: &str) -> Answer {
    connection.send(format!("{head}\r\nContent-Length: 0\r\n\r\n")).await;
    connection.answer().await.unwrap()
}

#[tokio::test]
async fn until_the_run_is_recovered_everything_but_being_alive_is_503() {
    let server = recovering(options());
    let mut connection = Connection::open(server.address).await;
    let host = format!("HTTP/1.1\r\nHost: {}", server.address);
    let live = send(&mut connection, &format!("GET /health/live {host}")).await;
    assert_eq!(live.ok(200)["status"], "ok");
    let ready = send(&mut connection, &format!("GET /health/ready {host}")).await;
    assert_eq!(ready.header("retry-after"), Some("1"));
    let ready = ready.ok(503);
    assert_eq!(ready["status"], "unavailable");
    assert!(ready["detail"].as_str().unwrap().starts_with("recovering"), "{ready}");
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("GET", "/api/cache/prices/status"),
        ("GET", "/api/cache/prices/events"),
        ("GET", "/api/prices/at/1"),
        ("POST", "/api/cache/prices/start"),
        ("POST", "/api/cache/prices/reset"),
        ("DELETE", "/api/cache/prices/logs"),
    ] {
        let answer = send(&mut connection, &format!("{method} {path} {host}")).await;
        assert_eq!(answer.header("retry-after"), Some("1"), "{method} {path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("x-request-id").is_some());
        assert!(answer.problem(503, path).starts_with("recovering"));
    }
    server.readiness.with(engine().await);
    // The connection of before sees the server of now.
    send(&mut connection, &format!("GET /health/ready {host}")).await.ok(200);
    assert_eq!(
        send(&mut connection, &format!("POST {RUN}/start {host}")).await.ok(202)["state"]["status"],
        "INITIALIZING"
    );
    let metrics = send(&mut connection, &format!("GET /metrics {host}")).await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains(r#"{route="none",method="GET",status="503"} 6"#), "{metrics}");
}

#[tokio::test]
async fn a_server_that_recovers_is_guarded_like_any_other() {
    let server = recovering(ServerOptions { api_keys: vec![ApiKeyHash::of("key")], ..options() });
    let mut connection = Connection::open(server.address).await;
    let start = format!("{RUN}/start");
    let own = "Host: localhost";
    let with_key = "Host: localhost\r\nAuthorization: Bearer key";
    let long = format!("/{}", "x".repeat(9_000));
    for (method, path, lines, status) in [
        ("GET", "/health/live", "Host: evil.example", 403),
        ("GET", "/health/ready", "Host: evil.example", 403),
        ("GET", start.as_str(), "A: b", 400),
        ("GET", start.as_str(), own, 401),
        ("GET", "/metrics", own, 401),
        ("POST", start.as_str(), "Host: localhost\r\nAuthorization: Bearer kex", 401),
        (
            "POST",
            start.as_str(),
            "Host: localhost\r\nAuthorization: Bearer key\r\nOrigin: http://evil.example",
            403,
        ),
        ("GET", long.as_str(), own, 414),
        ("GET", "/api/%zz", with_key, 400),
        ("POST", "/health/live", own, 405),
        ("POST", start.as_str(), with_key, 503),
    ] {
        send(&mut connection, &format!("{method} {path} HTTP/1.1\r\n{lines}")).await.problem(status, path);
    }
}

#[tokio::test]
async fn a_server_can_end_while_it_recovers_and_after() {
    let server = recovering(options());
    let mut idle = Connection::open(server.address).await;
    send(&mut idle, "GET /health/live HTTP/1.1\r\nHost: localhost").await.ok(200);
    server.stopping.cancel();
    assert!(idle.rest().await.is_empty());
    within(server.serving).await.unwrap();
    // A service that is recovered too late is simply not asked.
    server.readiness.with(engine().await);
}
