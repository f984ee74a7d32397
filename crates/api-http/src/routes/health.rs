//! `GET /health/live` and `/health/ready`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use price_cache_api_types as api;

use crate::app::App;
use crate::openapi::{Endpoint, Tag};
use crate::problem::STORE_RETRY_AFTER_SECONDS;

pub(super) fn liveness() -> Endpoint {
    Endpoint::get("/health/live", live, ("isLive", Tag::Monitoring, "Whether the process answers"))
        .answer::<api::Health>(200, "It does.")
}

pub(super) fn readiness() -> Endpoint {
    Endpoint::get("/health/ready", ready, ("isReady", Tag::Monitoring, "Whether the service can do its work"))
        .answer::<api::Health>(200, "The run is recovered and the store can be read.")
        .answer::<api::Health>(503, "It cannot at the moment; `detail` says why.")
        .headers(&["Retry-After"])
}

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
