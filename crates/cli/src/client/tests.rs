//! The client against a real socket: what it sends, and every way in which no answer comes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tokio::net::TcpListener;

use super::{ApiKey, Client, ClientError, Limits, ServerAddress, Target};
use crate::Exit;
use crate::test_server::{Reply, TestServer, json};

fn client(server: &ServerAddress) -> Client {
    Client::new(server.clone(), None, Limits::default())
}

async fn failure(reply: Reply) -> ClientError {
    let server = TestServer::start(vec![reply]).await;
    client(&server.address).get(&Target::run("status")).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_arrives_unchanged() {
    let server = TestServer::start(vec![json("200 OK", "{ \"a\": 1.50}")]).await;
    let answer = client(&server.address).get(&Target::run("status")).await.unwrap();
    assert_eq!(answer.bytes(), b"{ \"a\": 1.50}");
}

#[tokio::test]
async fn a_request_says_who_where_and_with_which_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "abc\n").unwrap();
    let server = TestServer::start(vec![json("202 Accepted", "{}"), json("200 OK", "{}")]).await;
    let address: ServerAddress = format!("{}/shop/", server.address).parse().unwrap();
    let client = Client::new(address, Some(ApiKey::read(&path).unwrap()), Limits::default());
    client.post(&Target::run("stop")).await.unwrap();
    client.post_json(&Target::run("reset"), &serde_json::json!({"keep_prices": true})).await.unwrap();

    let requests = server.requests();
    let [plain, with_body] = requests.as_slice() else { unreachable!("two requests") };
    assert!(plain.starts_with("POST /shop/api/cache/prices/stop HTTP/1.1\r\n"), "{plain}");
    let host = server.address.authority();
    for header in [&format!("host: {host}"), "authorization: Bearer abc", "content-length: 0"] {
        assert!(plain.contains(&format!("{header}\r\n")), "{header} is missing: {plain}");
    }
    assert!(!plain.contains("content-type"), "{plain}");
    assert!(with_body.contains("content-type: application/json\r\n"), "{with_body}");
    assert!(with_body.ends_with("\r\n\r\n{\"keep_prices\":true}"), "{with_body}");
}

#[tokio::test]
async fn ids_of_any_characters_stay_one_segment() {
    let server = TestServer::start(vec![json("200 OK", "{}")]).await;
    let target = Target::path(&["api", "prices", "de/at", "Größe ?#%  "]);
    client(&server.address).get(&target).await.unwrap();
    assert_eq!(
        server.request_lines(),
        ["GET /api/prices/de%2Fat/Gr%C3%B6%C3%9Fe%20%3F%23%25%20%20 HTTP/1.1"]
    );
}

#[tokio::test]
async fn problems_keep_their_sentence_and_choose_the_exit() {
    for (status, exit) in [
        ("409 Conflict", Exit::Refused),
        ("404 Not Found", Exit::Failed),
        ("400 Bad Request", Exit::Usage),
        ("401 Unauthorized", Exit::Usage),
        ("503 Service Unavailable", Exit::Failed),
    ] {
        let code = &status[..3];
        let body = format!(r#"{{"type":"about:blank","title":"T","status":{code},"detail":"so it is"}}"#);
        let error = failure(json(status, &body)).await;
        assert_eq!((error.to_string().as_str(), error.exit()), ("so it is", exit), "{status}");
    }
}

#[tokio::test]
async fn a_page_of_somebody_else_is_not_taken_for_an_answer() {
    let error = failure(json("502 Bad Gateway", "<html>")).await;
    assert!(error.to_string().ends_with("answered 502 and not as a price cache does; check --server"));
    assert_eq!(error.exit(), Exit::Failed);
}

#[tokio::test]
async fn another_version_is_recognised() {
    let server = TestServer::start(vec![json("200 OK", "[1]")]).await;
    let answer = client(&server.address).get(&Target::run("status")).await.unwrap();
    let error = answer.json::<price_cache_api_types::Status>().unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = client(&address).get(&Target::run("status")).await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
    assert!(error.is_absent());
    assert_eq!(error.exit(), Exit::Unreachable);
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let server = TestServer::start(vec![Reply::Silence]).await;
    let limits = Limits { answer_timeout: Duration::from_millis(50), ..Limits::default() };
    let client = Client::new(server.address.clone(), None, limits);
    let error = client.get(&Target::run("status")).await.unwrap_err();
    assert!(error.to_string().ends_with("did not answer within 50ms"), "{error}");
    assert_eq!(error.exit(), Exit::Unreachable);
}

#[tokio::test]
async fn a_long_answer_is_cut_off_announced_or_not() {
    let body = "x".repeat(2000);
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{body}");
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n{body}\r\n0\r\n\r\n");
    for reply in [announced, chunked] {
        let server = TestServer::start(vec![Reply::Bytes(reply.into_bytes())]).await;
        let limits = Limits { answer_length_max: 1000, ..Limits::default() };
        let client = Client::new(server.address.clone(), None, limits);
        let error = client.get(&Target::run("logs")).await.unwrap_err();
        assert!(matches!(error, ClientError::TooLong { length_max: 1000, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    for reply in ["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", "", "SSH-2.0-OpenSSH\r\n"] {
        let error = failure(Reply::Bytes(reply.as_bytes().to_vec())).await;
        assert!(matches!(error, ClientError::Broken { .. }), "{reply}: {error:?}");
        assert_eq!(error.exit(), Exit::Unreachable);
    }
}
