//! `POST /api/cache/prices/reset`: forgets the run and, unless asked to keep them, the prices.

use axum::Json;
use axum::extract::{Request, State};
use price_cache_api_types as api;
use serde_json::json;

use super::actor;
use crate::app::App;
use crate::openapi::{Endpoint, Tag};
use crate::problem::Problem;
use crate::request::{Parameters, optional_json};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::post("/api/cache/prices/reset", handle, ("resetRun", Tag::Run, "Forget the run and the prices"))
        .described(
            "Deletes the run, its analytics and logs and, unless asked to keep them, the cached prices.",
        )
        .body::<api::ResetRequest>(json!({"keep_prices": true}))
        .answer::<api::ResetAnswer>(200, "The run is deleted.")
        .problem(409, "A run is under way; stop it first.")
        .problem(415, "The content type is not JSON.")
        .problem(422, "The body is JSON with unknown or invalid fields.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Json<api::ResetAnswer>, Problem> {
    let actor = actor(&request);
    parameters.only(&[])?;
    let api::ResetRequest { keep_prices } = optional_json(&app, request).await?;
    app.engine.reset(actor, keep_prices).await?;
    let message = if keep_prices {
        "the run, its analytics and logs are deleted; the prices are kept"
    } else {
        "the run, the prices, the analytics and the logs are deleted"
    };
    Ok(Json(api::ResetAnswer { message: message.to_owned() }))
}
