//! The `state` of commands and `current_state` of status.

use price_cache_api_types as api;
use price_cache_domain::{Run, RunStatus, Timestamp};
use price_cache_engine::{Activity, Estimate, MarketSnapshot, Snapshot};

use super::rfc3339;

/// The state document of a snapshot at `now`.
pub(crate) fn state_document(snapshot: &Snapshot, now: Timestamp) -> api::StateDocument {
    state_document_with(snapshot, snapshot.total_estimate(now), now)
}

/// The same where the estimate of the whole run is known: of hundreds of markets it is half the work.
pub(super) fn state_document_with(
    snapshot: &Snapshot,
    total: Option<Estimate>,
    now: Timestamp,
) -> api::StateDocument {
    let run = &snapshot.run;
    let markets = &snapshot.markets;
    let is_active =
        |market: &&MarketSnapshot| matches!(market.activity, Activity::Active | Activity::Waiting { .. });
    let first_active = markets.iter().position(|market| is_active(&market));
    let first_unfinished = || markets.iter().position(|market| market.activity != Activity::Done);
    let current_index = first_active.or_else(first_unfinished);
    // Between runs nothing is current, wherever the last run ended.
    let has_current = !matches!(run.status(), RunStatus::Idle | RunStatus::Completed);
    let current = current_index.filter(|_| has_current).and_then(|index| markets.get(index));
    let is_running = run.status() == RunStatus::Processing;
    let end = total.filter(|_| is_running).map(|rest| now.plus(rest.expected));
    let (mut paused_at, mut paused_reason, mut completed_at, mut error_message) = (None, None, None, None);
    match run {
        Run::Paused(paused) => {
            paused_at = Some(rfc3339(paused.at()));
            paused_reason = Some(paused.reason().name().to_owned());
        }
        Run::Completed(completed) => completed_at = Some(rfc3339(completed.at())),
        Run::Error(error) => error_message = Some(error.failure().message.clone()),
        Run::Idle(_) | Run::Initializing(_) | Run::Processing(_) => {}
    }
    let mut market_totals = api::OrderedMap::default();
    for market in markets {
        market_totals.push(market.market.as_str(), market.progress.total());
    }
    api::StateDocument {
        status: run_status(run.status()),
        current_market: current.map(|market| market.market.as_str().to_owned()),
        current_product_idx: current.map_or(0, |market| market.progress.completed()),
        started_at: run.facts().map(|facts| rfc3339(facts.started_at())),
        estimated_end_at: end.map(rfc3339),
        paused_at,
        completed_at,
        error_message,
        markets: markets.iter().map(|market| market.market.as_str().to_owned()).collect(),
        total_markets: markets.len() as u64,
        current_market_index: current_index.unwrap_or(markets.len()) as u64,
        market_totals,
        run_id: run.facts().map(|facts| facts.id().to_string()),
        paused_reason,
        stop_requested: snapshot.stop_requested,
        retry_at: snapshot.retry_at.map(rfc3339),
        active_markets: markets
            .iter()
            .filter(is_active)
            .map(|market| market.market.as_str().to_owned())
            .collect(),
    }
}

/// The state on the wire.
pub(crate) const fn run_status(status: RunStatus) -> api::RunStatus {
    match status {
        RunStatus::Idle => api::RunStatus::Idle,
        RunStatus::Initializing => api::RunStatus::Initializing,
        RunStatus::Processing => api::RunStatus::Processing,
        RunStatus::Paused => api::RunStatus::Paused,
        RunStatus::Completed => api::RunStatus::Completed,
        RunStatus::Error => api::RunStatus::Error,
    }
}
