//! `POST /api/cache/prices/stop`: ends PAUSED.

use axum::extract::{Request, State};
use axum::response::Response;
use price_cache_api_types as api;

use super::{accepted, actor};
use crate::app::App;
use crate::openapi::{Endpoint, Tag};
use crate::problem::Problem;
use crate::request::{Parameters, no_body};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/cache/prices/stop", handle, ("stopRun", Tag::Run, "Pause the run"))
        .described("Interrupts hung requests and long waits. Start resumes the run.")
        .answer::<api::Accepted>(200, "No run was under way; the state is unchanged.")
        .answer::<api::Accepted>(202, "The run is paused.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let actor = actor(&request);
    parameters.only(&[])?;
    no_body(&app, request).await?;
    Ok(accepted(&app, app.engine.stop(actor).await?))
}
