//! The answer of `status`.

use price_cache_api_types as api;
use price_cache_domain::Timestamp;
use price_cache_engine::{Activity, Estimate, MarketSnapshot, PaceLimit, Snapshot, WaitReason};

use super::state::state_document_with;

/// The status document of a snapshot at `now`, when the upstream may be asked so fast.
pub fn status_document(snapshot: &Snapshot, pace: Option<PaceLimit>, now: Timestamp) -> api::Status {
    let overall = snapshot.overall_pace();
    let has_plan = snapshot.run.plan().is_some();
    let mut markets = api::OrderedMap::default();
    let mut market_analytics = api::OrderedMap::default();
    for market in &snapshot.markets {
        let progress = &market.progress;
        // Until the plan is made, totals are not known and 0 would say that nothing is left.
        let estimate = has_plan.then(|| snapshot.market_estimate(market, overall, now)).flatten();
        let in_end_of_market_retry = snapshot.is_in_end_of_market_retry(market);
        markets.push(market.market.as_str(), market_status(market, estimate, in_end_of_market_retry, now));
        market_analytics.push(
            market.market.as_str(),
            api::MarketAnalytics {
                completed: progress.completed(),
                successful: progress.successful(),
                failed: progress.failed(),
                success_rate: progress.success_rate(),
            },
        );
    }
    let analytics = snapshot.analytics();
    let total = snapshot.total_estimate(now);
    api::Status {
        current_state: state_document_with(snapshot, total, now),
        markets,
        overall_progress: analytics.completed_percent(),
        total_eta_minutes: total.map(whole_minutes),
        total_eta_seconds: total.map(|total| total.expected.as_secs_f64()),
        total_eta_seconds_low: total.map(|total| total.low.as_secs_f64()),
        total_eta_seconds_high: total.map(|total| total.high.as_secs_f64()),
        pace_limit: pace.map(|pace| api::PaceLimit {
            requests_per_second: (pace.requests_per_second * 1_000.0).round() / 1_000.0,
            slowed_down: pace.is_throttled,
        }),
        analytics: api::Analytics {
            total_requests: analytics.requests,
            total_success: analytics.successful,
            total_fails: analytics.failed,
            avg_time_per_request_ms: analytics.avg_time_per_request_ms(),
            success_rate: analytics.success_rate(),
            markets: market_analytics,
        },
    }
}

fn market_status(
    market: &MarketSnapshot,
    estimate: Option<Estimate>,
    in_end_of_market_retry: bool,
    now: Timestamp,
) -> api::MarketStatus {
    let progress = &market.progress;
    let waiting = waiting(market.activity, now);
    api::MarketStatus {
        completed: progress.completed(),
        total: progress.total(),
        success_rate: progress.success_rate(),
        failed: progress.failed(),
        eta_minutes: estimate.map(whole_minutes),
        state: match market.activity {
            Activity::Pending => api::MarketState::Pending,
            Activity::Active => api::MarketState::Active,
            // A wait that is over is one no more, though its market has not said so yet.
            Activity::Waiting { .. } if waiting.is_none() => api::MarketState::Active,
            Activity::Waiting { .. } => api::MarketState::Waiting,
            Activity::Parked { .. } => api::MarketState::Parked,
            Activity::Done => api::MarketState::Done,
        },
        waiting: if in_end_of_market_retry { Some(end_of_market_retry(market, waiting)) } else { waiting },
        eta_seconds: estimate.map(|estimate| estimate.expected.as_secs_f64()),
        eta_seconds_low: estimate.map(|estimate| estimate.low.as_secs_f64()),
        eta_seconds_high: estimate.map(|estimate| estimate.high.as_secs_f64()),
        avg_time_per_request_ms: (progress.requests() > 0).then(|| progress.avg_time_per_request_ms()),
        low_success_rate: progress.low_success_rate(),
    }
}

/// A wait of less would be told as one of 0.0 s.
const TOLD_SECONDS_MIN: f64 = 0.05;

/// The line that says why a market waits and until when.
fn waiting(activity: Activity, now: Timestamp) -> Option<String> {
    let (reason, until) = match activity {
        Activity::Waiting { reason, until } => (reason, until),
        Activity::Parked { reason, until, .. } => {
            let until = if until > now {
                let second = until.as_millis().div_euclid(1_000).rem_euclid(86_400);
                format!("until {:02}:{:02}:{:02} UTC", second / 3_600, second / 60 % 60, second % 60)
            } else {
                "until its turn comes".to_owned()
            };
            return Some(format!("parked {until}: {reason}"));
        }
        Activity::Pending | Activity::Active | Activity::Done => return None,
    };
    let left = until.since(now).as_secs_f64();
    let why = match reason {
        WaitReason::RetryAfter => "Retry-After".to_owned(),
        WaitReason::Backoff(class) => format!("backoff after {class}"),
        WaitReason::Pacing => "configured pace".to_owned(),
        WaitReason::Throttled => "slowed down, the upstream refused requests".to_owned(),
        WaitReason::SlowAnswers => "slowed down, the upstream answers slowly".to_owned(),
    };
    (left >= TOLD_SECONDS_MIN).then(|| format!("next request in {left:.1} s: {why}"))
}

/// The line of a market whose failed products are tried again.
fn end_of_market_retry(market: &MarketSnapshot, waiting: Option<String>) -> String {
    let left = market.end_of_market_retries_left;
    let products = if left == 1 { "product is" } else { "products are" };
    let waiting = waiting.map_or_else(String::new, |waiting| format!("; {waiting}"));
    format!("end-of-market retry: {left} failed {products} tried again{waiting}")
}

/// Whole minutes, rounded up; 0 only when nothing is left.
fn whole_minutes(estimate: Estimate) -> u64 {
    let seconds = estimate.expected.as_secs() + u64::from(estimate.expected.subsec_nanos() > 0);
    seconds.div_ceil(60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use price_cache_domain::FailureClass;
    use price_cache_engine::ParkReason;

    use super::*;

    #[test]
    fn minutes_are_rounded_up_and_zero_means_done() {
        let minutes = |millis| {
            let expected = Duration::from_millis(millis);
            whole_minutes(Estimate { expected, low: expected, high: expected })
        };
        assert_eq!([0, 1, 60_000, 60_001, 3_600_000].map(minutes), [0, 1, 1, 2, 60]);
    }

    #[test]
    fn a_parked_market_says_why_and_until_when() {
        let until = Timestamp::from_millis(1_767_225_605_000);
        let parked = |class, status_code| {
            let reason = ParkReason { failures: 10, class, status_code };
            Activity::Parked { reason, since: until, until }
        };
        let overloaded = parked(FailureClass::ServerError, Some(503));
        let before = Timestamp::from_millis(1_767_225_600_000);
        assert_eq!(waiting(overloaded, before).as_deref(), Some("parked until 00:00:05 UTC: 10 x 503"));
        assert_eq!(waiting(overloaded, until).as_deref(), Some("parked until its turn comes: 10 x 503"));
        let gone = parked(FailureClass::Transport, None);
        assert_eq!(waiting(gone, until).as_deref(), Some("parked until its turn comes: 10 x transport"));
    }

    #[test]
    fn a_wait_says_why_and_how_long() {
        let until = Timestamp::from_millis(3_200);
        let line = |reason, now| waiting(Activity::Waiting { reason, until }, Timestamp::from_millis(now));
        assert_eq!(line(WaitReason::RetryAfter, 0).as_deref(), Some("next request in 3.2 s: Retry-After"));
        assert_eq!(
            line(WaitReason::Backoff(FailureClass::Timeout), 3_000).as_deref(),
            Some("next request in 0.2 s: backoff after timeout")
        );
        assert_eq!(line(WaitReason::RetryAfter, 3_151), None);
    }
}
