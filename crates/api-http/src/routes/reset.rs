//! `POST /api/cache/prices/reset`: forgets the run and, unless asked to keep them, the prices.

use axum::Json;
use axum::extract::{Request, State};
use price_cache_api_types as api;

use super::actor;
use crate::problem::Problem;
use crate::request::{Parameters, optional_json};
use crate::router::App;

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Json<api::ResetAnswer>, Problem> {
    parameters.only(&[])?;
    let api::ResetRequest { keep_prices } = optional_json(&app, request).await?;
    app.engine.reset(actor(), keep_prices).await?;
    let message = if keep_prices {
        "the run, its analytics and logs are deleted; the prices are kept"
    } else {
        "the run, the prices, the analytics and the logs are deleted"
    };
    Ok(Json(api::ResetAnswer { message: message.to_owned() }))
}
