//! Every endpoint of the table as a route, with the guards before them.

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;

use crate::app::App;
use crate::entrance::Entrance;
use crate::present_routes::guarded;
use crate::problem::Problem;
use crate::routes;
use crate::unknown_method::unknown_method;

pub(crate) fn router(app: App) -> Router {
    let entrance = Entrance { options: Arc::clone(&app.options), metrics: Arc::clone(&app.metrics) };
    let endpoints = routes::endpoints().into_iter();
    let routes = endpoints
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, endpoint.handler))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        .with_state(app);
    guarded(&entrance, routes)
}

async fn unknown_route(uri: Uri) -> Problem {
    Problem::not_found(format!("there is no route {:?}; /docs describes those there are", uri.path()))
}
