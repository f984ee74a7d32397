//! `GET /metrics`: the Prometheus text format.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;

use crate::metrics::{MEDIA_TYPE, exposition};
use crate::router::App;

pub(crate) async fn handle(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, MEDIA_TYPE)], exposition(&app)).into_response()
}
