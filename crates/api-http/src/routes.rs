//! The endpoints, one a file.

pub(crate) mod dashboard;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod price;
pub(crate) mod prices;
pub(crate) mod recovering;
pub(crate) mod reset;
pub(crate) mod retry_failed;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod transitions;

use axum::Json;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use price_cache_api_types as api;
use price_cache_domain::Actor;
use price_cache_engine::Accepted;

use crate::api_key::UsedKey;
use crate::app::App;
use crate::documents::state_document;
use crate::openapi::Endpoint;

/// Every endpoint: what is not here is neither served nor documented.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        start::endpoint(),
        stop::endpoint(),
        reset::endpoint(),
        retry_failed::endpoint(),
        status::endpoint(),
        events::endpoint(),
        transitions::endpoint(),
        errors::endpoint(),
        logs::listing(),
        logs::clearing(),
        prices::listing(),
        prices::of_market(),
        price::endpoint(),
        health::liveness(),
        health::readiness(),
        metrics::endpoint(),
        dashboard::page(),
        dashboard::documentation(),
        dashboard::files(),
        openapi::endpoint(),
    ]
}

/// Returns who caused what a request causes: the key that it came with, by its fingerprint, or else the API.
fn actor(request: &Request) -> Actor {
    let key = request.extensions().get::<UsedKey>();
    key.map_or_else(|| Actor::named("api"), |key| Actor::named(format!("key {}", key.0.fingerprint())))
}

/// 202 with the state when something was changed, 200 when there was nothing to do.
fn accepted(app: &App, accepted: Accepted) -> Response {
    let state = state_document(&app.engine.snapshot(), app.engine.now());
    let status = if accepted.changed { StatusCode::ACCEPTED } else { StatusCode::OK };
    (status, Json(api::Accepted { message: accepted.message, state })).into_response()
}
