//! `POST /api/cache/prices/retry-failed`: attempts failed products again.

use axum::extract::{Request, State};
use axum::response::Response;
use hyper::StatusCode;
use price_cache_api_types as api;
use price_cache_domain::{MarketId, RetryFilter, RunStatus};
use serde_json::json;

use super::{accepted, actor};
use crate::app::App;
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::request::{Parameters, optional_json};

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/cache/prices/retry-failed";
    Endpoint::post(path, handle, ("retryFailed", Tag::Run, "Attempt the failed products of the run again"))
        .described("All of them, or those of a market or a class. The body takes precedence over the query.")
        .parameter(Parameter::id("market", "Only this market."))
        .parameter(Parameter::class("Only failures of this class."))
        .body::<api::RetryFailedRequest>(json!({"market": "uk"}))
        .answer::<api::Accepted>(202, "They are being retried.")
        .problem(404, "The run has no such market.")
        .problem(409, "A run is under way, or no such product has failed.")
        .problem(415, "The content type is not JSON.")
        .problem(422, "The body is JSON with unknown or invalid fields.")
}

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Problem> {
    let actor = actor(&request);
    let parameters = parameters.only(&["market", "class"])?;
    let market = parameters.parsed("market", |text| MarketId::new(text))?;
    let class = parameters.parsed("class", str::parse)?;
    let body: api::RetryFailedRequest = optional_json(&app, request).await?;
    let invalid = |error: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error);
    let in_body = RetryFilter {
        market: body
            .market
            .map(MarketId::new)
            .transpose()
            .map_err(|error| invalid(format!("market: {error}")))?,
        class: body
            .class
            .map(|class| class.parse())
            .transpose()
            .map_err(|error| invalid(format!("class: {error}")))?,
    };
    let filter = RetryFilter { market: in_body.market.or(market), class: in_body.class.or(class) };
    let snapshot = app.engine.snapshot();
    // Under way or never begun, the engine refuses with the better reason.
    let is_at_rest =
        !matches!(snapshot.run.status(), RunStatus::Idle | RunStatus::Initializing | RunStatus::Processing);
    if let Some(market) = &filter.market
        && is_at_rest
        && !snapshot.markets.iter().any(|known| known.market == *market)
    {
        return Err(Problem::not_found(format!("the run has no market {market:?}")));
    }
    Ok(accepted(&app, app.engine.retry_failed(actor, filter).await?))
}
