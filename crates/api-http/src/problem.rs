//! Errors as `application/problem+json` (RFC 9457), with the `error` member that older clients read.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use price_cache_api_types as api;
use price_cache_domain::StoreError;
use price_cache_engine::CommandError;

/// An error on its way to a client: the status and a public sentence.
///
/// The response made from it has no body yet: the guard, which knows the path, writes that.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    retry_after_seconds: Option<u32>,
    /// Whether an API key would help.
    wants_key: bool,
}

/// How soon a client may try again when the store fails.
pub(crate) const STORE_RETRY_AFTER_SECONDS: u32 = 5;
/// How soon a client may try again while the run is recovered.
pub(crate) const RECOVERY_RETRY_AFTER_SECONDS: u32 = 1;
/// The media type of answers that are documents of their own, also with a status of 400 or more.
pub(crate) const JSON: &str = "application/json";

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_seconds: None, wants_key: false }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self { wants_key: true, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    pub(crate) fn unavailable(detail: String) -> Self {
        Self {
            retry_after_seconds: Some(STORE_RETRY_AFTER_SECONDS),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    pub(crate) fn recovering(detail: &str) -> Self {
        Self {
            retry_after_seconds: Some(RECOVERY_RETRY_AFTER_SECONDS),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused { message, .. } => Self::new(StatusCode::CONFLICT, message),
            CommandError::Store(_) | CommandError::Closed => Self::unavailable(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not read the store");
        Self::unavailable(error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the document of a response that tells of a problem at `path`; others stay as they are.
pub(crate) fn with_document(response: Response, path: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let is_document = parts.headers.get(CONTENT_TYPE).is_some_and(|media_type| media_type == JSON);
    let problem = match parts.extensions.remove::<Problem>() {
        Some(problem) => problem,
        // What a handler did not word itself, as when an answer could not be serialised.
        None if parts.status.as_u16() >= 400 && !is_document => {
            Problem::new(parts.status, "the request could not be answered; the log of the server may say why")
        }
        None => return Response::from_parts(parts, body),
    };
    let title = problem.status.canonical_reason().unwrap_or("Error");
    let document = api::Problem::new(problem.status.as_u16(), title, problem.detail).at(path);
    let (document, body) = axum::Json(document).into_response().into_parts();
    parts.headers.extend(document.headers);
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(api::Problem::MEDIA_TYPE));
    if let Some(seconds) = problem.retry_after_seconds {
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.wants_key {
        parts.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    Response::from_parts(parts, body)
}
