//! Every route in one table.

use std::sync::Arc;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::StatusCode;
use price_cache_domain::Timestamp;
use price_cache_engine::Handle;

use crate::entrance::Entrance;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::problem::Problem;
use crate::routes;

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Handle,
    pub(crate) options: Arc<ServerOptions>,
    pub(crate) events: Arc<Events>,
    pub(crate) metrics: Arc<Metrics>,
    /// When the server began.
    pub(crate) began: Timestamp,
}

pub(crate) fn router(app: App) -> Router {
    let run = Router::new()
        .route("/start", post(routes::start::handle))
        .route("/stop", post(routes::stop::handle))
        .route("/reset", post(routes::reset::handle))
        .route("/retry-failed", post(routes::retry_failed::handle))
        .route("/status", get(routes::status::handle))
        .route("/events", get(routes::events::handle))
        .route("/transitions", get(routes::transitions::handle))
        .route("/logs", get(routes::logs::list).delete(routes::logs::clear))
        .route("/errors", get(routes::errors::handle));
    let entrance = Entrance { options: Arc::clone(&app.options), metrics: Arc::clone(&app.metrics) };
    let routes = Router::new()
        .nest("/api/cache/prices", run)
        .route("/api/prices", get(routes::prices::markets))
        .route("/api/prices/{market}", get(routes::prices::market))
        .route("/api/prices/{market}/{product}", get(routes::price::handle))
        .route("/health/live", get(routes::health::live))
        .route("/health/ready", get(routes::health::ready))
        .route("/metrics", get(routes::metrics::handle))
        .route("/", get(routes::dashboard::index))
        .route("/dashboard/{name}", get(routes::dashboard::named))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        .with_state(app);
    entrance.before(routes)
}

// Nested routers see the path without its beginning, so both take the original.
async fn unknown_route(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("there is no route {:?}; they are listed in the README", uri.path()))
}

/// Answers what a route has no handler for; the router adds the allow header.
pub(crate) async fn unknown_method(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{method} is not possible for {:?}; the allow header names what is", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
