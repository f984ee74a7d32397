//! `GET /health/live` and `/health/ready`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use price_cache_api_types as api;

use crate::problem::STORE_RETRY_AFTER_SECONDS;
use crate::router::App;

/// The process answers.
pub(crate) async fn live() -> Json<api::Health> {
    Json(api::Health::ok())
}

/// The run is recovered, or `recovering` would answer, and the store can be read.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.engine.reader().is_readable().await {
        Ok(()) => Json(api::Health::ok()).into_response(),
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, HeaderValue::from(STORE_RETRY_AFTER_SECONDS))],
            Json(api::Health::unavailable(error.to_string())),
        )
            .into_response(),
    }
}
