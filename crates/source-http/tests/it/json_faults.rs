//! Everything that can be wrong with JSON that should be a price.

use price_cache_domain::FailureClass::{InvalidAnswer, NotFound, RateLimited, Rejected};

use crate::support::{assert_fault, fetch, plain, price, source};
use price_cache_simulator::raw::{RawServer, answer, ok};

async fn against(
    body: impl AsRef<[u8]>,
    keys: &str,
) -> Result<price_cache_domain::Fetched, price_cache_domain::Fault> {
    let server = RawServer::always(ok(body)).await.unwrap();
    fetch(&source(&plain(&server.base_url, keys))).await
}

#[tokio::test]
async fn odd_amounts_are_never_prices() {
    let digits = "9".repeat(100_000);
    for (amount, part) in [
        ("NaN", "not JSON"),
        ("\"NaN\"", "not a decimal number"),
        ("1e400", "number out of range"),
        ("\"1e400\"", "more than 38 digits"),
        ("1e-400", "more than 38 digits"),
        ("-0", "negative"),
        ("-0.0", "negative"),
        ("-5", "negative"),
        ("\"12,50\"", "\"12,50\" is not a decimal number"),
        ("null", "leads to null"),
        ("[1]", "leads to an array"),
        ("{\"x\": 1}", "leads to an object"),
        ("true", "leads to a truth value"),
        ("\"\"", "not a decimal number"),
        (digits.as_str(), "number out of range"),
        (&format!("\"{digits}\""), "more than 38 digits"),
    ] {
        let body = format!(r#"{{"amount": {amount}, "currency": "EUR"}}"#);
        let fault = assert_fault(against(body, "").await, InvalidAnswer, part);
        assert_eq!(fault.status_code, Some(200));
    }
}

#[tokio::test]
async fn odd_bodies_are_never_prices() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let good = r#"{"amount": 1, "currency": "EUR"}"#;
    for (body, part) in [
        (Vec::new(), "the body is empty"),
        (b"<!DOCTYPE html><title>Sorry</title>".to_vec(), "HTML"),
        (br#"{"amount": "\ud83d", "currency": "EUR"}"#.to_vec(), "not a decimal number"),
        (br#"{"amount": 1, "currency": "\ud83d"}"#.to_vec(), "is not an ISO 4217 currency code"),
        (format!("{good} x").into_bytes(), "something follows"),
        (format!("{good}{good}").into_bytes(), "something follows"),
        (good.as_bytes()[..20].to_vec(), "not JSON"),
        (br#"{"amount": 1, "amount": 2, "currency": "EUR"}"#.to_vec(), "\"amount\" appears twice"),
        (deep.into_bytes(), "source.limits.depth"),
        (b"{\"amount\": 1, \"currency\": \"E\xFFR\"}".to_vec(), "not UTF-8"),
        (b"{\"amount\": 1\0}".to_vec(), "not JSON"),
        (
            br#"{"price": 1, "currency": "EUR"}"#.to_vec(),
            r#"source.price.amount = "$.amount" matched nothing in {"price": 1"#,
        ),
        (br#"{"amount": 1, "currency": "QQQ"}"#.to_vec(), "QQQ"),
        (br#"{"amount": 1, "currency": null}"#.to_vec(), "leads to null"),
        (br#"{"amount": 1}"#.to_vec(), "source.price.currency = \"$.currency\" matched nothing"),
    ] {
        assert_fault(against(body, "").await, InvalidAnswer, part);
    }
}

#[tokio::test]
async fn a_field_that_is_not_read_may_hold_half_of_a_character() {
    let body = r#"{"name": "Mug \ud83d", "\ude00": 1, "amount": 19.90, "currency": "EUR"}"#;
    for amount in ["$.amount", "$[?@ == 19.9]"] {
        let server = RawServer::always(ok(body)).await.unwrap();
        let mut config = plain(&server.base_url, "");
        amount.clone_into(&mut config.price.amount);
        assert_eq!(price(&source(&config), "US", "p").await.unwrap(), "19.90 EUR", "{amount}");
    }
}

#[tokio::test]
async fn a_currency_may_be_in_lower_case() {
    for (code, expected) in [("usd", "1 USD"), ("Eur", "1 EUR"), ("dem", "1 DEM")] {
        let server =
            RawServer::always(ok(format!(r#"{{"amount": 1, "currency": "{code}"}}"#))).await.unwrap();
        let config = plain(&server.base_url, &format!("expected_currency = \"{}\"", code.to_uppercase()));
        assert_eq!(price(&source(&config), "US", "p").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_believed() {
    let body = r#"{"amount": 1, "currency": "EUR", "id": "q", "market": "US"}"#;
    let wrong = against(body, "product_check = \"$.id\"").await;
    assert_fault(wrong, InvalidAnswer, "the answer is about \"q\"");
    assert!(against(body, "market_check = \"$.market\"").await.is_ok());
    let other = against(body, "expected_currency = \"USD\"").await;
    assert_fault(other, InvalidAnswer, "the price is in EUR, but source.price.expected_currency is USD");
    assert!(against(body, "expected_currency = { US = \"EUR\" }").await.is_ok());
}

#[tokio::test]
async fn two_hundred_can_mean_no() {
    let keys = r#"
        success = { path = "$.ok", equals = true }
        error_path = "$.error"
        not_found_when = { path = "$.code", equals = "NO_PRICE" }
        rate_limited_when = { path = "$.code", equals = 429 }
        "#;
    for (body, class, part) in [
        (r#"{"ok": false, "error": "try later"}"#, Rejected, "try later"),
        (r#"{"ok": false}"#, Rejected, "source.price.success"),
        (r#"{"ok": true, "error": {"x": [1]}, "amount": 1, "currency": "EUR"}"#, Rejected, r#"{"x":[1]}"#),
        (r#"{"ok": false, "code": "NO_PRICE"}"#, NotFound, "no price"),
        (r#"{"ok": false, "code": 429, "error": "slow"}"#, RateLimited, "slow"),
    ] {
        assert_fault(against(body, keys).await, class, part);
    }
    for error in ["null", "\"\"", "[]", "{}", "false"] {
        let body = format!(r#"{{"ok": true, "error": {error}, "amount": 1, "currency": "EUR"}}"#);
        assert!(against(body, keys).await.is_ok(), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_may_say_more_in_its_body() {
    let keys = r#"
        error_path = "$.error.message"
        not_found_when = { path = "$.error.code", equals = 7 }
        "#;
    let body = r#"{"error": {"code": 7, "message": "no such sku"}}"#;
    let server = RawServer::always(answer("400 Bad Request", "", body)).await.unwrap();
    let fault = fetch(&source(&plain(&server.base_url, keys))).await;
    assert_fault(fault, NotFound, "status 400: no such sku");
}

#[tokio::test]
async fn a_missing_value_can_be_the_sign() {
    let keys = "not_found_when = { path = \"$.data.product\", null = true }";
    for body in [r#"{"data": {"product": null}}"#, r#"{"data": {}}"#] {
        assert_fault(against(body, keys).await, NotFound, "no price");
    }
    let body = r#"{"data": {"product": 1}, "amount": 1.50, "currency": "EUR"}"#;
    let server = RawServer::always(ok(body)).await.unwrap();
    assert_eq!(price(&source(&plain(&server.base_url, keys)), "US", "p").await.unwrap(), "1.50 EUR");
}
