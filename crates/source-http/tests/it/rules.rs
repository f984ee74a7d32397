//! Conditions that say what an answer means: with every status, for lists as for prices, on body and headers.

use std::time::Duration;

use price_cache_domain::FailureClass::{
    Credentials, InvalidAnswer, NotFound, RateLimited, Rejected, ServerError,
};
use price_cache_domain::{Fault, PriceSource};
use price_cache_simulator::raw::{RawServer, Reply, answer, ok};

use crate::support::{assert_fault, config, fetch, market, plain, price, source};

const GOOD: &str = r#"{"amount": "19.90", "currency": "EUR"}"#;

const LIMITED: &str = r#"{"error": {"reason": "rateLimitExceeded"}}"#;

/// The faults of a price, of the products and of the markets, where every answer is this one.
async fn faults(reply: Reply, rule: &str) -> [Fault; 3] {
    let server = RawServer::always(reply).await.unwrap();
    let source = source(&config(&format!(
        r#"
        [source]
        base_url = "{}"
        markets = {{ url = "/markets", items = "$.items" }}
        products = {{ url = "/{{market}}", items = "$.items" }}
        price = {{ url = "/{{market}}/{{product}}", amount = "$.amount", currency = "EUR", {rule} }}
        "#,
        server.base_url
    )));
    [
        fetch(&source).await.unwrap_err(),
        source.products(&market("US"), None).await.unwrap_err(),
        source.markets().await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_rule_for_rate_limits_holds_for_every_status_and_for_lists() {
    let rule = r#"rate_limited_when = { path = "$.error.reason", equals = "rateLimitExceeded" }"#;
    for status in
        ["200 OK", "400 Bad", "401 No", "403 No", "404 No", "407 No", "409 No", "429 No", "500 No", "503 No"]
    {
        for fault in faults(answer(status, "Retry-After: 3\r\n", LIMITED), rule).await {
            let fault = assert_fault::<()>(Err(fault), RateLimited, "");
            assert_eq!(fault.retry_after, Some(Duration::from_secs(3)), "{status}");
        }
    }
    for fault in faults(answer("401 No", "", r#"{"error": {"reason": "expired"}}"#), rule).await {
        assert_fault::<()>(Err(fault), Credentials, "check the key");
    }
}

#[tokio::test]
async fn a_rule_may_look_at_a_header() {
    for (rule, headers, holds) in [
        (r#"{ header = "X-Reason", equals = "quota" }"#, "x-reason: quota\r\n", true),
        (r#"{ header = "X-Reason", equals = "quota" }"#, "X-Reason: other\r\nX-Reason:  quota \r\n", true),
        (r#"{ header = "X-Reason", equals = "quota" }"#, "X-Reason: other\r\n", false),
        (r#"{ header = "X-Code", equals = 88 }"#, "X-Code: 88\r\n", true),
        (r#"{ header = "X-Throttled", equals = true }"#, "X-Throttled: true\r\n", true),
        (r#"{ header = "X-Throttled" }"#, "X-Throttled: gr\u{f6}\u{df}e\r\n", true),
        (r#"{ header = "X-Throttled" }"#, "X-Throttled: false\r\n", false),
        (r#"{ header = "X-Throttled" }"#, "", false),
    ] {
        for (status, body) in [("403 No", "<h1>no</h1>"), ("200 OK", "<h1>slow</h1>"), ("500 No", "")] {
            for fault in faults(answer(status, headers, body), &format!("rate_limited_when = {rule}")).await {
                assert_eq!(fault.failure.class() == RateLimited, holds, "{rule} {headers} {fault}");
            }
        }
    }
    let key = r#"not_found_when = { header = "X-Gone", null = true }"#;
    let server = RawServer::always(answer("200 OK", "X-Gone: no\r\n", GOOD)).await.unwrap();
    assert_eq!(price(&source(&plain(&server.base_url, key)), "US", "p").await.unwrap(), "19.90 EUR");
}

#[tokio::test]
async fn a_rule_for_missing_prices_holds_for_every_status() {
    let rule = r#"not_found_when = { path = "$.code", equals = "UNKNOWN_SKU" }"#;
    for status in ["400 Bad", "401 No", "403 No", "422 No", "500 No"] {
        for fault in faults(answer(status, "", r#"{"code": "UNKNOWN_SKU"}"#), rule).await {
            assert_fault::<()>(Err(fault), NotFound, "UNKNOWN_SKU");
        }
    }
}

#[tokio::test]
async fn something_missing_means_nothing_in_an_answer_about_something_else() {
    let rule = r#"not_found_when = { path = "$.price", null = true }, rate_limited_when = { path = "$.ok", null = true }"#;
    for (status, class) in [("500 No", ServerError), ("401 No", Credentials)] {
        for fault in faults(answer(status, "", "{}"), rule).await {
            assert_fault::<()>(Err(fault), class, "status");
        }
    }
    let rule = r#"not_found_when = { path = "$.price", null = true }"#;
    let [price, products, markets] = faults(ok(r#"{"list": []}"#), rule).await;
    assert_fault::<()>(Err(price), NotFound, "no price");
    assert_fault::<()>(Err(products), InvalidAnswer, "matched nothing");
    assert_fault::<()>(Err(markets), InvalidAnswer, "matched nothing");
}

#[tokio::test]
async fn a_refusal_that_asks_to_wait_is_a_limit() {
    let secs = Duration::from_secs;
    for (status, headers, class, wait) in [
        ("403 No", "Retry-After: 3\r\n", RateLimited, Some(secs(3))),
        ("403 No", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9\r\n", RateLimited, Some(secs(9))),
        ("403 No", "X-RateLimit-Remaining: 7\r\nX-RateLimit-Reset: 9\r\n", Credentials, None),
        ("400 No", "RateLimit-Retry-After: 5\r\nRateLimit-Reset: 1\r\n", RateLimited, Some(secs(5))),
        ("400 No", "RateLimit-Reset: 1\r\n", Rejected, None),
        ("401 No", "Retry-After: 3\r\n", Credentials, Some(secs(3))),
        ("500 No", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9\r\n", ServerError, Some(secs(9))),
    ] {
        for fault in faults(answer(status, headers, "{}"), "").await {
            let fault = assert_fault::<()>(Err(fault), class, status.get(..3).unwrap());
            assert_eq!(fault.retry_after, wait, "{status} {headers}");
        }
    }
}

#[tokio::test]
async fn a_page_that_is_refused_as_too_many_is_no_end_of_its_list() {
    for (headers, body, rule) in [
        ("Retry-After: 3\r\n", "{}", ""),
        ("", LIMITED, r#"rate_limited_when = { path = "$.error.reason", equals = "rateLimitExceeded" }"#),
    ] {
        let server = RawServer::start(move |request| match request.contains("page=1") {
            true => ok(r#"{"items": ["a"]}"#),
            false => answer("400 Bad Request", headers, body),
        })
        .await
        .unwrap();
        let source = source(&config(&format!(
            r#"
            [source]
            base_url = "{}"
            markets = {{ list = ["US"] }}
            products = {{ url = "/{{market}}", items = "$.items", pagination = {{ style = "page" }} }}
            price = {{ url = "/{{market}}/{{product}}", amount = "$.amount", currency = "EUR", {rule} }}
            "#,
            server.base_url
        )));
        let first = source.products(&market("US"), None).await.unwrap();
        assert_fault(source.products(&market("US"), first.next.as_ref()).await, RateLimited, "page=2");
    }
}
