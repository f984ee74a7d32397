//! Products and requests to the upstream, counted as their records become durable.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use price_cache_engine::Settled;

use super::histogram::Histogram;

/// Markets with counters of their own; those that come later share one.
const MARKETS_MAX: usize = 1_000;
/// Markets with a histogram of their own, which is a dozen series each.
const HISTOGRAMS_MAX: usize = 100;
/// The label of what markets beyond the limits share.
const OTHER: &str = "other";

/// Counters of one market.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MarketCounters {
    pub(super) successful: u64,
    pub(super) failed: u64,
    pub(super) requests: u64,
}

/// By market, in the order of their ids.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) markets: BTreeMap<String, MarketCounters>,
    pub(super) durations: BTreeMap<String, Histogram>,
}

/// What was counted since the server began.
#[derive(Default)]
pub(crate) struct Products(Mutex<Counted>);

impl Products {
    /// Counts an outcome. A product that is retried counts again; its earlier requests do not.
    pub(crate) fn count(&self, settled: Settled<'_>) {
        let Settled { market, replaced, outcome } = settled;
        let before = replaced.map_or(0, |replaced| replaced.attempts.requests());
        let requests = outcome.attempts.requests().saturating_sub(before);
        let mut counted = self.counted();
        let counters = bounded(&mut counted.markets, market.as_str(), MARKETS_MAX);
        counters.requests += u64::from(requests);
        match outcome.attempts.failure() {
            None => counters.successful += 1,
            Some(_) => counters.failed += 1,
        }
        let durations = bounded(&mut counted.durations, market.as_str(), HISTOGRAMS_MAX);
        let new = usize::try_from(requests).unwrap_or(usize::MAX);
        for attempt in outcome.attempts.kept().iter().rev().take(new) {
            durations.observe(attempt.duration);
        }
    }

    pub(super) fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value under `name`, or the shared one where there are too many names already.
fn bounded<'a, T: Default>(values: &'a mut BTreeMap<String, T>, name: &str, max: usize) -> &'a mut T {
    let name = if values.len() < max || values.contains_key(name) { name } else { OTHER };
    values.entry(name.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_one() {
        let mut values = BTreeMap::<String, u64>::new();
        for name in ["a", "b", "c", "a", "d"] {
            *bounded(&mut values, name, 2) += 1;
        }
        let values: Vec<_> = values.into_iter().collect();
        assert_eq!(values, [("a".to_owned(), 2), ("b".to_owned(), 1), ("other".to_owned(), 2)]);
    }
}
