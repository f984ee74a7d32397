//! What is answered while the run is recovered from the store: alive, not ready, and nothing else.

use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use price_cache_api_types as api;

use super::health;
use crate::problem::{Problem, RECOVERY_RETRY_AFTER_SECONDS};
use crate::router::unknown_method;

const RECOVERING: &str = "recovering: the store is being opened and the run read from it";

pub(crate) fn router() -> Router {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(not_ready))
        .method_not_allowed_fallback(unknown_method)
        .fallback(later)
}

async fn not_ready() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(RETRY_AFTER, HeaderValue::from(RECOVERY_RETRY_AFTER_SECONDS))],
        Json(api::Health::unavailable(RECOVERING)),
    )
        .into_response()
}

async fn later() -> Problem {
    Problem::recovering(RECOVERING)
}
