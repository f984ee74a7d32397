//! `GET /api/cache/prices/status`: where the run is.

use axum::Json;
use axum::extract::State;
use price_cache_api_types as api;

use crate::documents::status_document;
use crate::problem::Problem;
use crate::request::Parameters;
use crate::router::App;

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<api::Status>, Problem> {
    parameters.only(&[])?;
    Ok(Json(status_document(&app.engine.snapshot(), app.engine.now())))
}
