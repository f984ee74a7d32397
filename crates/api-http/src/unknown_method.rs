//! The answer to a method that a route has no handler for.

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;

use crate::problem::Problem;

/// Answers what a route has no handler for; the router adds the allow header.
pub(crate) async fn unknown_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{method} is not possible for {:?}; the allow header names what is", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
