//! Every endpoint of the table as a route, with the guards before them.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use price_cache_domain::Timestamp;
use price_cache_engine::Handle;

use crate::entrance::Entrance;
use crate::events::Events;
use crate::latest_status::LatestStatus;
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
    pub(crate) status: LatestStatus,
    pub(crate) metrics: Arc<Metrics>,
    /// When the server began.
    pub(crate) began: Timestamp,
}

pub(crate) fn router(app: App) -> Router {
    let entrance = Entrance { options: Arc::clone(&app.options), metrics: Arc::clone(&app.metrics) };
    let endpoints = routes::endpoints().into_iter();
    let routes = endpoints
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, endpoint.handler))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        .with_state(app);
    entrance.before(routes)
}

async fn unknown_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is no route {:?}; /docs describes those there are", uri.path()))
}

/// Answers what a route has no handler for; the router adds the allow header.
pub(crate) async fn unknown_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{method} is not possible for {:?}; the allow header names what is", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
