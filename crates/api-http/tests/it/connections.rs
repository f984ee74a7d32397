//! Connections: versions of HTTP, limits of size, time and number, and the end of the server.

use std::net::SocketAddr;
use std::time::Duration;

use price_cache_api_http::{Server, ServerLimits, ServerOptions};
use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;
use tokio::net::TcpStream;

use crate::client::{Connection, within};
use crate::world::{World, options};

const GET_LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
const SHORT: Duration = Duration::from_millis(50);

async fn limited(limits: ServerLimits) -> World {
    World::with(ScriptedSource::new(), ServerOptions { limits, ..options() }).await
}

#[tokio::test]
async fn connections_are_kept_until_asked_to_close() {
    let world = World::new(ScriptedSource::new()).await;
    let mut connection = Connection::open(world.address).await;
    for _ in 0..3 {
        connection.send(GET_LIVE).await;
        connection.answer().await.unwrap().ok(200);
    }
    // Errors do not end a connection either, nor do requests sent before their turn.
    connection.send(["GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", GET_LIVE].concat()).await;
    connection.answer().await.unwrap().problem(404, "/x");
    connection.answer().await.unwrap().ok(200);
    connection.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let last = connection.answer().await.unwrap();
    assert_eq!(last.header("connection"), Some("close"));
    assert!(connection.rest().await.is_empty());
}

#[tokio::test]
async fn http_1_0_is_answered_and_then_closed() {
    let world = World::new(ScriptedSource::new()).await;
    let mut connection = Connection::open(world.address).await;
    connection.send("GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    connection.answer().await.unwrap().ok(200);
    assert!(connection.rest().await.is_empty());
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_server_goes_on() {
    let world = World::new(ScriptedSource::new()).await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nA\x00: b\r\n\r\n",
        b"POST /api/cache/prices/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /api/cache/prices/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ] {
        let mut connection = Connection::open(world.address).await;
        connection.send(bytes).await;
        let answer = connection.rest().await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "), "{bytes:?}: {answer:?}");
    }
    world.get("/health/live").await.ok(200);
}

#[tokio::test]
async fn targets_and_headers_have_limits() {
    let world = World::new(ScriptedSource::new()).await;
    let path = format!("/{}", "x".repeat(8 * 1024));
    assert!(world.get(&path).await.problem(414, &path).contains("8192"));
    let query = format!("/health/live?{}", "x".repeat(8 * 1024));
    world.get(&query).await.problem(414, "/health/live");
    let large = format!("A: {}", "x".repeat(17 * 1024));
    let detail = world.request("GET", "/health/live", &[&large], b"").await.problem(431, "/health/live");
    assert!(detail.contains("16384"), "{detail}");
    let many = vec!["A: b"; 70];
    world.request("GET", "/health/live", &many, b"").await.problem(431, "/health/live");
    // Beyond what is read at all, the status is all there is.
    for lines in [vec!["A: b".to_owned(); 200], vec![format!("A: {}", "x".repeat(100 * 1024))]] {
        let mut connection = Connection::open(world.address).await;
        let request =
            format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n", lines.join("\r\n"));
        connection.send(request).await;
        assert_eq!(connection.answer().await.map(|answer| answer.status), Some(431));
    }
}

#[tokio::test]
async fn slow_and_silent_clients_are_let_go() {
    let world = limited(ServerLimits { header_time_max: SHORT, ..ServerLimits::default() }).await;
    for beginning in ["", "GET /health", "GET /health/live HTTP/1.1\r\nHost: localhost\r\nA: "] {
        let mut connection = Connection::open(world.address).await;
        connection.send(beginning).await;
        let answer = connection.rest().await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "), "{beginning}: {answer:?}");
    }
    let mut idle = Connection::open(world.address).await;
    idle.send(GET_LIVE).await;
    idle.answer().await.unwrap().ok(200);
    assert!(idle.rest().await.is_empty(), "an idle connection is closed as well");
}

#[tokio::test]
async fn hundreds_of_silent_and_dripping_clients_keep_nobody_waiting() {
    let world = World::in_state(RunStatus::Processing).await;
    let mut others = Vec::new();
    for number in 0..400 {
        let mut connection = Connection::open(world.address).await;
        if number % 2 == 0 {
            connection.send("G").await;
        }
        others.push(connection);
    }
    for _ in 0..20 {
        world.run("/status").await.ok(200);
        for dripping in others.iter_mut().step_by(2) {
            dripping.send("E").await;
        }
    }
    assert_eq!(world.source.in_flight("at"), 1, "the run goes on");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let world = limited(ServerLimits { body_time_max: SHORT, ..ServerLimits::default() }).await;
    let mut connection = Connection::open(world.address).await;
    connection
        .send("POST /api/cache/prices/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{")
        .await;
    connection.answer().await.unwrap().problem(408, "/api/cache/prices/reset");
    assert!(connection.rest().await.is_empty(), "the rest of the body is not taken for a request");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let world = limited(ServerLimits { connections_max: 1, ..ServerLimits::default() }).await;
    let mut first = Connection::open(world.address).await;
    first.send(GET_LIVE).await;
    first.answer().await.unwrap().ok(200);
    let mut second = Connection::open(world.address).await;
    second.send(GET_LIVE).await;
    // The first is still served, whatever the second has sent.
    for _ in 0..3 {
        first.send(GET_LIVE).await;
        first.answer().await.unwrap().ok(200);
    }
    tokio::select! {
        biased;
        _ = second.answer() => panic!("there was only one place"),
        () = std::future::ready(()) => {}
    }
    first.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    first.answer().await.unwrap().ok(200);
    assert!(first.rest().await.is_empty());
    second.answer().await.unwrap().ok(200);
}

#[tokio::test]
async fn only_loopback_is_listened_on_and_a_taken_address_is_named() {
    let world = World::new(ScriptedSource::new()).await;
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:127.0.0.1]:0"] {
        let listen: SocketAddr = address.parse().unwrap();
        let refused = Server::bind(ServerOptions { listen, ..options() });
        let sentence = refused.err().unwrap().to_string();
        assert!(sentence.contains(address) && sentence.contains("127.0.0.1"), "{sentence}");
    }
    let taken = ServerOptions { listen: world.address, ..options() };
    let refused = Server::bind(taken).err().unwrap().to_string();
    assert!(refused.contains(&world.address.to_string()) && refused.contains("in use"), "{refused}");
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_and_closes_what_is_idle() {
    let world = World::in_state(RunStatus::Completed).await;
    let mut idle = Connection::open(world.address).await;
    idle.send(GET_LIVE).await;
    idle.answer().await.unwrap().ok(200);
    let mut silent = Connection::open(world.address).await;
    // Told to go on with its body, this one is under way for certain.
    let mut busy = Connection::open(world.address).await;
    busy.send(
        "POST /api/cache/prices/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    assert_eq!(busy.continues().await, "HTTP/1.1 100 Continue");
    world.stopping.cancel();
    assert!(idle.rest().await.is_empty() && silent.rest().await.is_empty());
    busy.send("{}").await;
    let answer = busy.answer().await.unwrap();
    assert_eq!(answer.header("connection"), Some("close"));
    answer.ok(200);
    assert!(busy.rest().await.is_empty());
    within(world.serving).await.unwrap();
    assert!(TcpStream::connect(world.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let world = limited(ServerLimits { shutdown_time_max: SHORT, ..ServerLimits::default() }).await;
    let mut stuck = Connection::open(world.address).await;
    stuck.send("POST /api/cache/prices/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n").await;
    world.get("/health/live").await.ok(200);
    world.stopping.cancel();
    within(world.serving).await.unwrap();
    assert!(stuck.answer().await.is_none());
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Idle);
}
