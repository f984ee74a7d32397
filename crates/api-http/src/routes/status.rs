//! `GET /api/cache/prices/status`: where the run is.

use axum::Json;
use axum::extract::State;
use price_cache_api_types as api;

use crate::documents::status_document;
use crate::openapi::{Endpoint, Tag};
use crate::problem::Problem;
use crate::request::Parameters;
use crate::router::App;

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/cache/prices/status";
    Endpoint::get(path, handle, ("getStatus", Tag::Run, "Where the run is, and when it will be done"))
        .described("Answered from memory: it waits neither for a fetch nor for the disk.")
        .answer::<api::Status>(200, "The state, each market, estimates with their range, and totals.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<api::Status>, Problem> {
    parameters.only(&[])?;
    Ok(Json(status_document(&app.engine.snapshot(), app.engine.pace_limit(), app.engine.now())))
}
