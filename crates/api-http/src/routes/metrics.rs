//! `GET /metrics`: the Prometheus text format.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;

use crate::app::App;
use crate::metrics::{MEDIA_TYPE, exposition};
use crate::openapi::{Endpoint, Tag};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::get("/metrics", handle, ("getMetrics", Tag::Monitoring, "Figures for Prometheus")).text(
        MEDIA_TYPE,
        "Counters, gauges and histograms in the text format of Prometheus.",
        Some(EXAMPLE),
    )
}

/// One family, as it is sent.
const EXAMPLE: &str = "# HELP price_cache_progress_ratio Products with an outcome, of all products; 0 to 1.\n\
    # TYPE price_cache_progress_ratio gauge\nprice_cache_progress_ratio 0.25\n";

pub(crate) async fn handle(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, MEDIA_TYPE)], exposition(&app)).into_response()
}
