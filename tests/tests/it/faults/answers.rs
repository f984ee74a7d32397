//! Answers with status 200 that are odd prices or none.

use price_cache_simulator::raw::Reply;

use super::row::{Row, body, document, priced};

/// 2^53 + 1: the first whole number that a float cannot hold.
const BEYOND_FLOATS: &str = "9007199254740993";

const DIGITS: usize = 100_000;
const NESTING: usize = 10_000;

fn no_price(fault: &'static str, reply: Reply, reads: &'static str) -> Row {
    Row::fails(fault, reply, "invalid_answer", reads)
}

/// Returns the lines of the table.
#[expect(clippy::too_many_lines, reason = "one table, read as a whole")]
pub(crate) fn rows() -> Vec<Row> {
    let good = document("fault", "19.90");
    let digits = "9".repeat(DIGITS);
    let deep = format!("{}{}", "[".repeat(NESTING), "]".repeat(NESTING));
    let bad_utf8 = b"{\"product\": \"fault\", \"amount\": 1, \"currency\": \"E\xFFR\"}";
    vec![
        no_price(
            "NaN",
            priced("NaN"),
            r#"status 200, but the body is not JSON: expected value at line 1 column 32: {"product": "fault", "amount": NaN, "currency": "EUR"}"#,
        ),
        no_price(
            "NaN as a text",
            priced("\"NaN\""),
            r#"source.price.amount = "$.amount": "NaN" is not a decimal number like 19.99"#,
        ),
        no_price(
            "1e400",
            priced("1e400"),
            r#"status 200, but the body is not JSON: number out of range at line 1 column 36: {"product": "fault", "amount": 1e400, "currency": "EUR"}"#,
        ),
        no_price(
            "1e400 as a text",
            priced("\"1e400\""),
            r#"source.price.amount = "$.amount": the amount 1e400... needs more than 38 digits"#,
        ),
        no_price(
            "1e-400",
            priced("1e-400"),
            r#"source.price.amount = "$.amount": the amount 1e-400... needs more than 38 digits"#,
        ),
        no_price("-0", priced("-0"), r#"source.price.amount = "$.amount": the amount -0 is negative"#),
        no_price("-5", priced("-5"), r#"source.price.amount = "$.amount": the amount -5 is negative"#),
        Row::price("2^53+1", BEYOND_FLOATS),
        no_price(
            "100,000 digits",
            priced(&digits),
            r#"status 200, but the body is not JSON: number out of range at line 1 column 100031: {"product": "fault", "amount": 99999999999999999999999999999..."#,
        ),
        no_price(
            "100,000 digits as a text",
            priced(&format!("\"{digits}\"")),
            r#"source.price.amount = "$.amount": the amount 9999999999999999999999999999999999999999... needs more than 38 digits"#,
        ),
        no_price(
            "12,50",
            priced("\"12,50\""),
            r#"source.price.amount = "$.amount": "12,50" is not a decimal number like 19.99"#,
        ),
        no_price(
            "null",
            priced("null"),
            r#"source.price.amount = "$.amount" leads to null, not to an amount"#,
        ),
        no_price(
            "array",
            priced("[19.90]"),
            r#"source.price.amount = "$.amount" leads to an array, not to an amount"#,
        ),
        no_price(
            "truth value",
            priced("true"),
            r#"source.price.amount = "$.amount" leads to a truth value, not to an amount"#,
        ),
        no_price(
            "duplicate key",
            priced("1, \"amount\": 2"),
            r#"status 200, but the key "amount" appears twice in the same object at line 1 column 42: {"product": "fault", "amount": 1, "amount": 2, "currency": "..."#,
        ),
        Row::is_read("BOM", body(format!("\u{feff}{good}"))),
        no_price(
            "trailing bytes",
            body(format!("{good}x")),
            r#"status 200, but something follows the JSON at column 57 of line 1: {"product": "fault", "amount": 19.90, "currency": "EUR"}x"#,
        ),
        no_price(
            "two documents",
            body(format!("{good}{good}")),
            r#"status 200, but something follows the JSON at column 57 of line 1: {"product": "fault", "amount": 19.90, "currency": "EUR"}{"pr..."#,
        ),
        no_price("empty", body(""), "status 200, but the body is empty"),
        no_price(
            "half a document",
            body(&good[..30]),
            r#"status 200, but the body is not JSON: EOF while parsing a value at line 1 column 30: {"product": "fault", "amount":"#,
        ),
        no_price(
            "depth 10,000",
            body(deep),
            "status 200, but the JSON nests deeper than source.limits.depth allows at line 1 column 65: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...",
        ),
        no_price(
            "bad UTF-8",
            body(bad_utf8),
            r#"status 200, but the body is not UTF-8: bad byte at 48: {"product": "fault", "amount": 1, "currency": "E�R"}"#,
        ),
        no_price(
            "NUL",
            body(good.replace(", ", ",\0")),
            r#"status 200, but the body is not JSON: key must be a string at line 1 column 21: {"product": "fault","amount": 19.90,"currency": "EUR"}"#,
        ),
        no_price(
            "wrong currency",
            body(good.replace("EUR", "USD")),
            "the price is in USD, but source.price.expected_currency is EUR",
        ),
        no_price(
            "no currency",
            body(good.replace("EUR", "QQQ")),
            r#"source.price.currency = "$.currency": "QQQ" is not an ISO 4217 currency code like EUR"#,
        ),
        no_price(
            "wrong product",
            body(document("another", "19.90")),
            r#"source.price.product_check = "$.product": asked for "fault", the answer is about "another""#,
        ),
    ]
}
