//! `GET /api/cache/prices/status`: where the run is.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use price_cache_api_types as api;

use crate::app::App;
use crate::openapi::{Endpoint, Tag};
use crate::problem::{JSON, Problem};
use crate::request::Parameters;

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/cache/prices/status";
    Endpoint::get(path, handle, ("getStatus", Tag::Run, "Where the run is, and when it will be done"))
        .described(
            "Answered from memory: it waits neither for a fetch nor for the disk. The progress of a run that is under \
             way may be a tenth of a second old; a change of the state shows at once.",
        )
        .answer::<api::Status>(200, "The state, each market, estimates with their range, and totals.")
}

pub(crate) async fn handle(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    parameters.only(&[])?;
    let status = app.status.current().map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the status could not be written: {error}"))
    })?;
    Ok(([(CONTENT_TYPE, JSON)], status.json).into_response())
}
