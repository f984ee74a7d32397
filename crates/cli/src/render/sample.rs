//! Statuses for the tests of rendering.

use price_cache_api_types::{
    Analytics, MarketState, MarketStatus, OrderedMap, RunStatus, StateDocument, Status,
};

/// A status with these markets: id, state, completed, total, failed. Waiting and parked ones say why.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
pub(crate) fn status(state: RunStatus, markets: &[(&str, MarketState, u64, u64, u64)]) -> Status {
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    let completed: u64 = markets.iter().map(|market| market.2).sum();
    let total: u64 = markets.iter().map(|market| market.3).sum();
    let markets: OrderedMap<MarketStatus> = markets
        .iter()
        .map(|(id, state, completed, total, failed)| {
            let is_waiting = matches!(state, MarketState::Waiting | MarketState::Parked);
            let market = MarketStatus {
                completed: *completed,
                total: *total,
                success_rate: percent(completed - failed, *completed),
                failed: *failed,
                eta_minutes: is_waiting.then_some(2),
                state: *state,
                waiting: is_waiting.then(|| "next request in 3.2 s: Retry-After".to_owned()),
                eta_seconds: None,
                eta_seconds_low: None,
                eta_seconds_high: None,
                avg_time_per_request_ms: None,
                low_success_rate: false,
            };
            (*id, market)
        })
        .collect();
    Status {
        current_state: StateDocument { status: state, ..StateDocument::idle() },
        markets,
        overall_progress: percent(completed, total),
        total_eta_minutes: None,
        total_eta_seconds: None,
        total_eta_seconds_low: None,
        total_eta_seconds_high: None,
        pace_limit: None,
        analytics: Analytics::default(),
    }
}
