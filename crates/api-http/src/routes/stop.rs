//! `POST /api/cache/prices/stop`: ends PAUSED.

use axum::extract::{Request, State};
use axum::response::Response;

use super::{accepted, actor};
use crate::problem::Problem;
use crate::request::{Parameters, no_body};
use crate::router::App;

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    parameters.only(&[])?;
    no_body(&app, request).await?;
    Ok(accepted(&app, app.engine.stop(actor()).await?))
}
