//! Where each market is: its progress, what is left, why it waits, and whether its success rate is low.

use price_cache_domain::Timestamp;
use price_cache_engine::{Activity, MarketSnapshot, Snapshot, WaitReason};

use super::ratio::ratio;
use super::text::{Kind, Page};

/// Markets that are told of one by one, the first ones of the run.
const MARKETS_TOLD_MAX: usize = 1_000;

/// Every [`word`], and parking.
const REASONS: [&str; 6] = ["retry_after", "backoff", "pacing", "throttled", "slow_answers", PARKED];
/// The reason of markets that are set aside.
const PARKED: &str = "parked";

pub(super) fn write(page: &mut Page, snapshot: &Snapshot, now: Timestamp) {
    each(
        page,
        snapshot,
        ("price_cache_market_progress_ratio", "Products of a market with an outcome, from 0 to 1."),
        |market| Some(ratio(market.progress.completed(), market.progress.total())),
    );
    let overall = snapshot.overall_pace();
    let has_plan = snapshot.run.plan().is_some();
    each(
        page,
        snapshot,
        (
            "price_cache_market_eta_seconds",
            "Expected time that a market takes once its turn has come; missing while unknown.",
        ),
        |market| {
            let estimate = has_plan.then(|| snapshot.market_estimate(market, overall, now)).flatten()?;
            Some(estimate.expected.as_secs_f64())
        },
    );
    each(
        page,
        snapshot,
        (
            "price_cache_market_wait_seconds",
            "Time until the next request of a market; 0 where none is held back.",
        ),
        |market| Some(waits(market, now).map_or(0.0, |(_, seconds)| seconds)),
    );
    each(
        page,
        snapshot,
        ("price_cache_market_parked", "1 for a parked market: its circuit breaker is open."),
        |market| Some(flag(matches!(market.activity, Activity::Parked { .. }))),
    );
    each(
        page,
        snapshot,
        ("price_cache_market_low_success", "1 for a market with a low success rate."),
        |market| Some(flag(market.progress.low_success_rate())),
    );
    let name = "price_cache_market_waiting";
    page.family(name, Kind::Gauge, "Markets that wait before their next request.");
    for reason in REASONS {
        let waiting =
            snapshot.markets.iter().filter(|market| waits(market, now).is_some_and(|(why, _)| why == reason));
        page.sample(name, &[("reason", reason)], waiting.count() as f64);
    }
}

/// A gauge of each market that has a value.
fn each(
    page: &mut Page,
    snapshot: &Snapshot,
    (name, help): (&str, &str),
    value: impl Fn(&MarketSnapshot) -> Option<f64>,
) {
    page.family(name, Kind::Gauge, help);
    for market in snapshot.markets.iter().take(MARKETS_TOLD_MAX) {
        if let Some(value) = value(market) {
            page.sample(name, &[("market", market.market.as_str())], value);
        }
    }
}

/// Why a market waits, and for how many seconds more. A parked one waits for its turn even when its time has come.
fn waits(market: &MarketSnapshot, now: Timestamp) -> Option<(&'static str, f64)> {
    match market.activity {
        Activity::Waiting { reason, until } if until > now => {
            Some((word(reason), until.since(now).as_secs_f64()))
        }
        Activity::Parked { until, .. } => Some((PARKED, until.since(now).as_secs_f64())),
        Activity::Waiting { .. } | Activity::Pending | Activity::Active | Activity::Done => None,
    }
}

const fn word(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::RetryAfter => "retry_after",
        WaitReason::Backoff(_) => "backoff",
        WaitReason::Pacing => "pacing",
        WaitReason::Throttled => "throttled",
        WaitReason::SlowAnswers => "slow_answers",
    }
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
