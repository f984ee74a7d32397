//! What is sent: ids, headers, bodies, and secrets that stay in them.

use percent_encoding::percent_decode_str;
use price_cache_domain::FailureClass::{Credentials, InvalidAnswer, NotFound, Rejected, ServerError};
use price_cache_domain::{Fetched, PriceSource};
use proptest::prelude::{ProptestConfig, Strategy, proptest};
use proptest::test_runner::TestCaseError;

use crate::support::{assert_fault, fetch, market, plain, price, product, source};
use price_cache_simulator::raw::{RawServer, Reply, Then, answer, ok};

const GOOD: &str = r#"{"amount": "19.90", "currency": "EUR"}"#;

fn path_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

/// Any id that the domain allows and a path can carry.
fn ids() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,60}".prop_filter("dots alone", |id| id != "." && id != "..")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_server_sees_exactly_the_ids(market_id in ids(), product_id in ids()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = RawServer::always(ok(GOOD)).await.unwrap();
            let mut config = plain(&server.base_url, "");
            config.price.url = "/{market}/x/{product}{?market,product}".to_owned();
            price(&source(&config), &market_id, &product_id).await.unwrap();
            let requests = server.requests();
            let (path, query) = path_of(&requests[0]).split_once('?').unwrap();
            let decoded: Vec<String> =
                path.split('/').map(|part| percent_decode_str(part).decode_utf8().unwrap().into_owned()).collect();
            assert_eq!(decoded, ["", market_id.as_str(), "x", product_id.as_str()]);
            let values: Vec<String> = query
                .split('&')
                .map(|pair| percent_decode_str(pair.split_once('=').unwrap().1).decode_utf8().unwrap().into_owned())
                .collect();
            assert_eq!(values, [market_id.as_str(), product_id.as_str()]);
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test]
async fn dots_alone_are_refused_before_anything_is_sent() {
    let server = RawServer::always(ok(GOOD)).await.unwrap();
    let source = source(&plain(&server.base_url, ""));
    assert_fault(price(&source, "US", "..").await, Rejected, "put it into the query");
    assert!(server.requests().is_empty());
    assert_eq!(price(&source, "US", "../x").await.unwrap(), "19.90 EUR");
    assert_eq!(path_of(&server.requests()[0]), "/p/..%2Fx");
}

#[tokio::test]
async fn a_secret_is_sent_and_shown_nowhere() {
    // The server tells the key back in every place it has.
    let server = RawServer::start(|request| {
        answer("500 Oops", "X-Echo: sk/secret+42\r\n", format!("{}: sk/secret+42", path_of(request)))
    })
    .await
    .unwrap();
    let keys = "headers = { Authorization = \"Key ${SHOP_API_KEY}\" }";
    let mut config = plain(&server.base_url, keys);
    config.price.url = "/p/{product}?key=${SHOP_API_KEY}".to_owned();
    let source = source(&config);
    let fault = assert_fault(fetch(&source).await, ServerError, "status 500: /p/p?key=***: ***");
    assert!(fault.failure.message().ends_with("(GET /p/p)"), "{fault}");
    assert_eq!(source.price_url(&market("US"), &product("p")), format!("{}/p/p?key=***", server.base_url));

    let exchange = source.probe(&market("US"), &product("p")).await;
    assert!(!format!("{exchange:?} {source:?} {config:?}").contains("secret"), "{exchange:?}");
    assert!(exchange.request_headers.contains(&("authorization".to_owned(), "***".to_owned())));
    assert!(exchange.response_headers.contains(&("x-echo".to_owned(), "***".to_owned())));
    assert_eq!(exchange.body_start, "/p/p?key=***: ***");

    let sent = &server.requests()[0];
    assert!(path_of(sent).ends_with("?key=sk%2Fsecret%2B42"), "{sent}");
    assert!(sent.contains("authorization: Key sk/secret+42\r\n"), "{sent}");
    assert!(sent.contains("user-agent: price-cache/"), "{sent}");
}

#[tokio::test]
async fn a_secret_is_masked_however_the_api_repeats_it() {
    let keys = "headers = { Authorization = \"Key ${SHOP_API_KEY}\", X-Shop-Key = \"key-of-the-file\" }";
    let far = format!("{}sk/secret+42", " ".repeat(4090));
    for (repeated, shown) in [
        (r#"{"error": "bad key sk\/secret\u002B42"}"#, r#"{"error": "bad key ***"}"#),
        (r"sk\u002fsecret\u002b42", "***"),
        ("bad key sk&#47;secret&plus;42", "bad key ***"),
        ("bad key sk&#x2F;secret&#x2b;42", "bad key ***"),
        ("?key=sk%2fsecret%2b42", "?key=***"),
        ("?key=sk%252Fsecret%252B42", "?key=***"),
        ("c2svc2VjcmV0KzQy", "***"),
        ("bad key key-of-the-file", "bad key ***"),
        ("bad key sk/secret+...", "it repeats a part of a key"),
        (far.as_str(), "(GET /p/p)"),
    ] {
        let server =
            RawServer::always(answer("401 Unauthorized", "X-Echo: sk/secr\r\n", repeated)).await.unwrap();
        let source = source(&plain(&server.base_url, keys));
        let fault = assert_fault(fetch(&source).await, Credentials, shown);
        let exchange = source.probe(&market("US"), &product("p")).await;
        let all = format!("{fault} {exchange:?}");
        assert!(!all.contains("secr\"") && !all.contains("+42") && !all.contains("of-the-file"), "{all}");
    }
}

#[tokio::test]
async fn a_post_has_its_body_and_its_type() {
    let server = RawServer::always(ok(GOOD)).await.unwrap();
    let keys = r#"
        method = "POST"
        body = '{"id": {{ product | tojson }}, "key": "${SHOP_API_KEY}"}'
        "#;
    let source = source(&plain(&server.base_url, keys));
    assert_eq!(price(&source, "US", "a\"b\\ö").await.unwrap(), "19.90 EUR");
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /p/") && sent.contains("content-type: application/json\r\n"), "{sent}");
    let body: serde_json::Value = serde_json::from_str(sent.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body, serde_json::json!({"id": "a\"b\\ö", "key": "sk/secret+42"}));
    let exchange = source.probe(&market("US"), &product("p")).await;
    assert_eq!(exchange.request_body.as_deref(), Some(r#"{"id": "p", "key": "***"}"#));
    assert!(matches!(exchange.understood, Ok(Fetched::Price(_))));
}

#[tokio::test]
async fn a_validator_is_sent_only_where_wanted() {
    let server = RawServer::start(|request| match request.contains("if-none-match: \"v1\"") {
        true => Reply(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(), Then::Keep),
        false => answer("200 OK", "ETag: \"v1\"\r\n", GOOD),
    })
    .await
    .unwrap();
    let on = source(&plain(&server.base_url, "conditional = true"));
    let Fetched::Price(quote) = fetch(&on).await.unwrap() else { panic!("no price") };
    assert_eq!(quote.etag.as_deref(), Some("\"v1\""));
    let again = on.price(&market("US"), &product("p"), Some("\"v1\"")).await;
    assert_eq!(again.unwrap(), Fetched::NotModified);
    let off = source(&plain(&server.base_url, ""));
    assert!(matches!(off.price(&market("US"), &product("p"), Some("\"v1\"")).await, Ok(Fetched::Price(_))));
    let liar =
        RawServer::always(Reply(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(), Then::Keep)).await.unwrap();
    assert_fault(fetch(&source(&plain(&liar.base_url, "conditional = true"))).await, InvalidAnswer, "304");
}

#[tokio::test]
async fn a_purge_fails_only_where_it_is_required() {
    let cdn = RawServer::start(|request| match request.contains("cdn-key") {
        true => answer("404 Not Found", "", "gone"),
        false => answer("401 Unauthorized", "", ""),
    })
    .await
    .unwrap();
    let server = RawServer::always(ok(GOOD)).await.unwrap();
    for required in [false, true] {
        let keys = format!(
            r#"
            [source.headers]
            X-Api-Key = "${{SHOP_API_KEY}}"
            [source.purge]
            url = "{}/zone/{{market}}"
            method = "POST"
            body = '{{"files": [{{{{ product | tojson }}}}]}}'
            headers = {{ X-Cdn = "cdn-key" }}
            required = {required}
            "#,
            cdn.base_url
        );
        let source = source(&plain(&server.base_url, &keys));
        let purged = source.purge(&market("US"), &product("p")).await;
        match required {
            true => drop(assert_fault(purged, NotFound, "status 404: gone (POST /zone/US)")),
            false => purged.unwrap(),
        }
    }
    let sent = &cdn.requests()[0];
    assert!(sent.starts_with("POST /zone/US ") && sent.ends_with(r#"{"files": ["p"]}"#), "{sent}");
    assert!(!sent.contains("secret"), "the key of the API is not for the CDN: {sent}");
}
