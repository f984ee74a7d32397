//! The counters of one market in one run: a fold over outcomes, the same live and in recovery.

use std::time::Duration;

use crate::{Failure, FailureClass, Outcome};

/// A market's success rate is judged from this many completed products on.
pub const LOW_SUCCESS_AFTER_PRODUCTS: u64 = 10;
/// Below this success rate, in percent, a market is flagged.
pub const LOW_SUCCESS_BELOW_PERCENT: f64 = 80.0;

/// More outcomes than products: an internal error of the caller. The outcome was not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an outcome beyond the {total} products of the market was not counted")]
pub struct Overcounted {
    /// The market's total.
    pub total: u64,
}

/// Counters of one market in one run. `completed = successful + failed <= total` holds always:
/// there is no way to build one in which it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    total: u64,
    successful: u64,
    failed: u64,
    failed_by_class: [u64; FailureClass::ALL.len()],
    requests: u64,
    busy: Duration,
}

impl Progress {
    /// Nothing done of `total` products.
    pub const fn new(total: u64) -> Self {
        let failed_by_class = [0; FailureClass::ALL.len()];
        Self { total, successful: 0, failed: 0, failed_by_class, requests: 0, busy: Duration::ZERO }
    }

    /// Counts the outcome of a product. `replaced` is the product's earlier outcome in the same run,
    /// where there was one; it is taken out again, so that a retried product still counts once.
    pub fn count(&mut self, replaced: Option<&Outcome>, outcome: &Outcome) -> Result<(), Overcounted> {
        let mut next = *self;
        if let Some(replaced) = replaced {
            for counter in next.counters_of(replaced.attempts.failure()) {
                *counter = counter.saturating_sub(1);
            }
            next.requests = next.requests.saturating_sub(u64::from(replaced.attempts.requests()));
            next.busy = next.busy.saturating_sub(replaced.attempts.busy());
        }
        for counter in next.counters_of(outcome.attempts.failure()) {
            *counter += 1;
        }
        next.requests += u64::from(outcome.attempts.requests());
        next.busy = next.busy.saturating_add(outcome.attempts.busy());
        if next.completed() > next.total {
            return Err(Overcounted { total: self.total });
        }
        *self = next;
        Ok(())
    }

    /// The counters that an outcome with this failure, or with none, stands in.
    fn counters_of(&mut self, failure: Option<&Failure>) -> impl Iterator<Item = &mut u64> {
        let (first, second) = match failure {
            None => (&mut self.successful, None),
            Some(failure) => (&mut self.failed, self.failed_by_class.get_mut(failure.class() as usize)),
        };
        std::iter::once(first).chain(second)
    }

    /// Products in the plan of this market.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Products with a price from this run.
    pub const fn successful(&self) -> u64 {
        self.successful
    }

    /// Products recorded as failed in this run.
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// Of [`failed`](Self::failed), those whose latest failure is of this class.
    pub fn failed_with(&self, class: FailureClass) -> u64 {
        self.failed_by_class.get(class as usize).copied().unwrap_or(0)
    }

    /// Products with an outcome in this run, `successful + failed`.
    pub const fn completed(&self) -> u64 {
        self.successful + self.failed
    }

    /// Products without an outcome in this run.
    pub const fn remaining(&self) -> u64 {
        self.total - self.completed()
    }

    /// Requests made, retries included.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// The duration of all requests together.
    pub const fn busy(&self) -> Duration {
        self.busy
    }

    /// Successful of completed products in percent, 0 to 100; 0 when none is completed.
    pub fn success_rate(&self) -> f64 {
        percent(self.successful, self.completed())
    }

    /// Completed of all products in percent, 0 to 100; 100 for a market without products.
    pub fn completed_percent(&self) -> f64 {
        if self.total == 0 { 100.0 } else { percent(self.completed(), self.total) }
    }

    /// The mean duration of a request in milliseconds; 0 before the first.
    pub fn avg_time_per_request_ms(&self) -> f64 {
        mean_ms(self.busy, self.requests)
    }

    /// Whether fewer than [`LOW_SUCCESS_BELOW_PERCENT`] of at least
    /// [`LOW_SUCCESS_AFTER_PRODUCTS`] products succeeded.
    pub fn low_success_rate(&self) -> bool {
        self.completed() >= LOW_SUCCESS_AFTER_PRODUCTS && self.success_rate() < LOW_SUCCESS_BELOW_PERCENT
    }
}

/// `part` of `whole` in percent; 0 when `whole` is 0. Counts are far below 2^53, where `f64` is exact.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The mean in milliseconds of `count` durations that sum up to `sum`; 0 when there are none.
pub(crate) fn mean_ms(sum: Duration, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum.as_secs_f64() * 1_000.0 / count as f64 }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::{Attempt, Attempts, Failure, FailureClass, RunId, Timestamp};

    fn outcome(success: bool, requests: u32) -> Outcome {
        let attempt = |success: bool| Attempt {
            at: Timestamp::from_millis(0),
            duration: Duration::from_millis(20),
            status_code: None,
            failure: (!success).then(|| Failure::new(FailureClass::Timeout, "no answer")),
        };
        let attempts =
            (1..requests).fold(Attempts::first(attempt(success)), |all, _| all.then(attempt(success)));
        Outcome { run: RunId::from_number(1), pass: 1, was_retried_at_end: false, attempts }
    }

    #[test]
    fn nothing_is_counted_beyond_the_total() {
        let mut progress = Progress::new(1);
        progress.count(None, &outcome(true, 1)).unwrap();
        let before = progress;
        assert_eq!(progress.count(None, &outcome(true, 1)), Err(Overcounted { total: 1 }));
        assert_eq!(progress, before);
    }

    #[test]
    fn the_success_rate_is_judged_from_the_tenth_product_on() {
        let mut progress = Progress::new(20);
        for _ in 0..9 {
            progress.count(None, &outcome(false, 1)).unwrap();
        }
        assert!(!progress.low_success_rate());
        progress.count(None, &outcome(false, 1)).unwrap();
        assert!(progress.low_success_rate());
        let mut exactly = Progress::new(10);
        for index in 0..10 {
            exactly.count(None, &outcome(index < 8, 1)).unwrap();
        }
        assert!(!exactly.low_success_rate(), "80 % is not below 80 %");
    }

    #[test]
    fn empty_markets_have_finite_rates() {
        let progress = Progress::new(0);
        assert_eq!((progress.success_rate(), progress.completed_percent()), (0.0, 100.0));
        assert_eq!(progress.avg_time_per_request_ms(), 0.0);
    }

    proptest! {
        // The oracle keeps only the latest outcome of each product and counts them at the end.
        #[test]
        fn the_fold_equals_a_count_of_the_latest_outcomes(
            steps in prop::collection::vec((0_u8..12, any::<bool>(), 1_u32..5), 0..80)
        ) {
            let mut latest: HashMap<u8, Outcome> = HashMap::new();
            let mut progress = Progress::new(12);
            for (product, success, requests) in steps {
                let outcome = outcome(success, requests);
                progress.count(latest.get(&product), &outcome).unwrap();
                latest.insert(product, outcome);
                prop_assert!(progress.completed() <= progress.total());
            }
            let successful = latest.values().filter(|outcome| outcome.is_success()).count() as u64;
            let requests: u64 = latest.values().map(|outcome| u64::from(outcome.attempts.requests())).sum();
            prop_assert_eq!(progress.successful(), successful);
            prop_assert_eq!(progress.failed_with(FailureClass::Timeout), progress.failed());
            prop_assert_eq!(progress.completed(), latest.len() as u64);
            prop_assert_eq!(progress.requests(), requests);
            prop_assert_eq!(progress.busy(), Duration::from_millis(20 * requests));
        }
    }
}
