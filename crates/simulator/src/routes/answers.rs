//! Answers with their headers.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::body::AnswerBody;

/// An answer of this type with this body.
pub(super) fn of(status: StatusCode, content_type: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<AnswerBody> {
    of(status, "application/json", AnswerBody::whole(body))
}

/// `{"error": message}`
pub(super) fn error(status: StatusCode, message: &str) -> Response<AnswerBody> {
    json(status, error_body(message))
}

pub(super) fn error_body(message: &str) -> Bytes {
    let mut body = b"{\"error\":".to_vec();
    push_string(&mut body, message);
    body.push(b'}');
    body.into()
}

/// Appends a JSON string.
pub(super) fn push_string(body: &mut Vec<u8>, text: &str) {
    // Writing text into memory cannot fail.
    let _ = serde_json::to_writer(body, text);
}

/// Appends strings, or objects with an `id`, with commas between them.
pub(super) fn push_items<T: AsRef<str>>(body: &mut Vec<u8>, ids: impl Iterator<Item = T>, objects: bool) {
    for (position, id) in ids.enumerate() {
        if position > 0 {
            body.push(b',');
        }
        if objects {
            body.extend_from_slice(b"{\"id\":");
        }
        push_string(body, id.as_ref());
        if objects {
            body.push(b'}');
        }
    }
}
