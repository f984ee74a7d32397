//! Answers while the run is recovered from the store: alive, not ready and why, and nothing else.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use price_cache_api_types as api;

use super::health;
use crate::problem::{Problem, RECOVERY_RETRY_AFTER_SECONDS};
use crate::unknown_method::unknown_method;

const RECOVERING: &str = "recovering: the store is being opened and the run read from it";

/// Why the server is not ready yet.
#[derive(Clone)]
pub(crate) struct Reason(Arc<RwLock<String>>);

impl Default for Reason {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(RECOVERING.to_owned())))
    }
}

impl Reason {
    /// Puts another reason in place.
    pub(crate) fn set(&self, reason: String) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn get(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) fn router(reason: Reason) -> Router {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(not_ready))
        .method_not_allowed_fallback(unknown_method)
        .fallback(later)
        .with_state(reason)
}

async fn not_ready(State(reason): State<Reason>) -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(RETRY_AFTER, HeaderValue::from(RECOVERY_RETRY_AFTER_SECONDS))],
        Json(api::Health::unavailable(reason.get())),
    )
        .into_response()
}

async fn later(State(reason): State<Reason>) -> Problem {
    Problem::recovering(&reason.get())
}
