//! `GET /api/cache/prices/transitions`: the changes of the run's state since the server began, newest first.

use axum::Json;
use axum::extract::State;
use price_cache_api_types as api;

use crate::app::App;
use crate::documents::transition;
use crate::openapi::{Endpoint, Tag};
use crate::problem::Problem;
use crate::request::Parameters;

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/cache/prices/transitions";
    Endpoint::get(path, handle, ("listTransitions", Tag::Run, "Who changed the run's state, when and why"))
        .answer::<api::Transitions>(200, "The newest changes since the server began, newest first.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<api::Transitions>, Problem> {
    parameters.only(&[])?;
    let transitions = app.engine.event_log().transitions();
    Ok(Json(api::Transitions { transitions: transitions.iter().map(transition).collect() }))
}
