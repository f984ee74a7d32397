//! A name for each request, so that log lines of one request can be found together.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

/// The header that carries it both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over from a client.
const BYTES_MAX: usize = 64;

/// The id that the client gave, where it is one that can stand in a log, or else a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let mut given = headers.get_all(X_REQUEST_ID).iter();
    let given = match (given.next(), given.next()) {
        (Some(id), None) => id.to_str().ok().filter(|id| is_sane(id)),
        _ => None,
    };
    given.map_or_else(|| format!("{:016x}", fastrand::u64(..)), str::to_owned)
}

fn is_sane(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=BYTES_MAX).contains(&id.len()) && id.bytes().all(allowed)
}

/// The id as a header value.
pub(crate) fn header_value(id: &str) -> HeaderValue {
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
}
