//! Redirects: how many, and to whom.

use price_cache_domain::FailureClass::{InvalidAnswer, Rejected};

use crate::support::{assert_fault, config, fetch, plain, price, source};
use price_cache_simulator::raw::{RawServer, answer, ok};

const GOOD: &str = r#"{"amount": "19.90", "currency": "EUR"}"#;

const KEY: &str = "[source.headers]\nX-Api-Key = \"${SHOP_API_KEY}\"";

#[tokio::test]
async fn redirects_on_the_same_server_are_followed() {
    let server = RawServer::start(|request| match request.starts_with("GET /p/p ") {
        true => answer("302 Found", "Location: /moved?x=1\r\n", ""),
        false => ok(GOOD),
    })
    .await
    .unwrap();
    let source = source(&plain(&server.base_url, KEY));
    assert_eq!(price(&source, "US", "p").await.unwrap(), "19.90 EUR");
    let requests = server.requests();
    assert!(requests[1].starts_with("GET /moved?x=1 ") && requests[1].contains("sk/secret+42"));
}

#[tokio::test]
async fn a_loop_ends_at_the_limit() {
    let server = RawServer::always(answer("301 Moved", "Location: /p/p\r\n", "")).await.unwrap();
    let result = fetch(&source(&plain(&server.base_url, ""))).await;
    assert_fault(result, InvalidAnswer, "more than 5 redirects (source.limits.redirects)");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn another_server_is_asked_only_where_allowed_and_never_told_the_key() {
    let other = RawServer::always(ok(GOOD)).await.unwrap();
    let location = format!("Location: {}/steal\r\n", other.base_url);
    let server = RawServer::always(answer("307 Elsewhere", &location, "")).await.unwrap();
    let result = fetch(&source(&plain(&server.base_url, KEY))).await;
    assert_fault(result, InvalidAnswer, &format!("allow_redirects_to = [\"{}\"]", other.base_url));
    assert!(other.requests().is_empty());

    let limits = format!("{KEY}\n[source.limits]\nallow_redirects_to = [\"{}\"]", other.base_url);
    let source = source(&plain(&server.base_url, &limits));
    assert_eq!(price(&source, "US", "p").await.unwrap(), "19.90 EUR");
    assert!(server.requests()[0].contains("sk/secret+42"));
    assert!(!other.requests()[0].contains("secret"), "{:?}", other.requests());
}

#[tokio::test]
async fn odd_redirects_are_named() {
    for (headers, part) in [
        ("", "without a Location"),
        ("Location: http://[\r\n", "is no URL"),
        ("Location: file:///etc/passwd\r\n", "another server"),
    ] {
        let server = RawServer::always(answer("302 Found", headers, "")).await.unwrap();
        assert_fault(fetch(&source(&plain(&server.base_url, ""))).await, InvalidAnswer, part);
    }
}

#[tokio::test]
async fn an_id_cannot_choose_the_server() {
    let allowed = RawServer::always(ok(GOOD)).await.unwrap();
    let port = allowed.base_url.rsplit(':').next().unwrap().to_owned();
    let text = format!(
        r#"
        [source]
        base_url = "http://127.0.0.1:1"
        markets.list = ["{port}"]
        products.list = ["p"]
        price = {{ url = "http://127.0.0.1:{{market}}/p/{{product}}", amount = "$.amount", currency = "$.currency" }}
        "#
    );
    let problems = config(&text).validate().unwrap_err();
    assert_eq!(problems[0].key, "source.price.url");
    assert!(problems[0].message.contains("allow_redirects_to"), "{problems:?}");

    let mut config = config(&text);
    config.limits.allow_redirects_to = vec![allowed.base_url.clone()];
    let source = source(&config);
    assert_eq!(price(&source, &port, "p").await.unwrap(), "19.90 EUR");
    assert_fault(price(&source, "2", "p").await, Rejected, "leads to another server");
}
