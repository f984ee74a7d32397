//! `POST /api/cache/prices/start`: starts, resumes or retries, by state.

use axum::extract::{Request, State};
use axum::response::Response;
use price_cache_api_types as api;

use super::{accepted, actor};
use crate::app::App;
use crate::openapi::{Endpoint, Tag};
use crate::problem::Problem;
use crate::request::{Parameters, no_body};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post(
        "/api/cache/prices/start",
        handle,
        ("startRun", Tag::Run, "Start, resume or retry, by state"),
    )
    .described(
        "Starts a new run in IDLE and COMPLETED, resumes one that is PAUSED, and tries again in ERROR. \
             Answers at once; the run continues in the background.",
    )
    .answer::<api::Accepted>(202, "The run is under way.")
    .problem(409, "A run is already under way.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let actor = actor(&request);
    parameters.only(&[])?;
    no_body(&app, request).await?;
    Ok(accepted(&app, app.engine.start(actor).await?))
}
