//! The shapes in which a price or a failure is said.

use bytes::Bytes;
use hyper::StatusCode;

use super::answers::{error_body, push_string};
use super::target::Query;

/// How a route speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The price is the document; a failure is a status code.
    Plain,
    /// 200 with `ok` and either `result` or `error`.
    Envelope,
    /// 200 with `data` and, after a failure, `errors`.
    GraphQl,
}

/// How an amount is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A JSON number with the digits of the catalogue.
    Number,
    /// The same digits as a JSON string.
    Text,
    /// A whole number of minor units.
    Minor,
}

impl Form {
    pub(super) fn of(query: &Query<'_>) -> Result<Self, String> {
        match query.get("form") {
            None | Some("number") => Ok(Self::Number),
            Some("string") => Ok(Self::Text),
            Some("minor") => Ok(Self::Minor),
            Some(other) => Err(format!("form is number, string or minor, not {other:?}")),
        }
    }
}

impl Dialect {
    /// The document of a price. `amount` is put in as it is.
    pub(super) fn price(self, market: &str, product: &str, amount: &str, currency: &str) -> Bytes {
        let mut body = Vec::with_capacity(128 + amount.len());
        match self {
            Self::Plain => push_price(&mut body, market, product, amount, currency),
            Self::Envelope => {
                body.extend_from_slice(b"{\"ok\":true,\"result\":");
                push_price(&mut body, market, product, amount, currency);
                body.push(b'}');
            }
            Self::GraphQl => {
                body.extend_from_slice(b"{\"data\":{\"product\":{\"id\":");
                push_string(&mut body, product);
                body.extend_from_slice(b",\"pricing\":{\"price\":{\"gross\":{\"amountMinor\":");
                body.extend_from_slice(amount.as_bytes());
                body.extend_from_slice(b",\"currency\":");
                push_string(&mut body, currency);
                body.extend_from_slice(b"}}}}}}");
            }
        }
        body.into()
    }

    /// The status and the document of a failure.
    pub(super) fn failure(self, status: StatusCode, message: &str) -> (StatusCode, Bytes) {
        let mut body = Vec::new();
        match self {
            Self::Plain => return (status, error_body(message)),
            Self::Envelope => {
                body.extend_from_slice(b"{\"ok\":false,\"code\":");
                body.extend_from_slice(status.as_str().as_bytes());
                body.extend_from_slice(b",\"error\":");
                push_string(&mut body, message);
                body.push(b'}');
            }
            Self::GraphQl => {
                body.extend_from_slice(b"{\"errors\":[{\"message\":");
                push_string(&mut body, message);
                body.extend_from_slice(b"}],\"data\":null}");
            }
        }
        (StatusCode::OK, body.into())
    }
}

fn push_price(body: &mut Vec<u8>, market: &str, product: &str, amount: &str, currency: &str) {
    body.extend_from_slice(b"{\"product\":");
    push_string(body, product);
    body.extend_from_slice(b",\"market\":");
    push_string(body, market);
    body.extend_from_slice(b",\"amount\":");
    body.extend_from_slice(amount.as_bytes());
    body.extend_from_slice(b",\"currency\":");
    push_string(body, currency);
    body.push(b'}');
}
