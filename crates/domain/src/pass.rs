//! Which products a run still wants: all without an outcome; those that failed in an earlier pass, when
//! failed products are retried; and at the end of a market those with a transient failure.

use crate::{FailureClass, MarketId, Outcome, RunId};

/// Narrows a retry of failed products; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryFilter {
    /// Only this market.
    pub market: Option<MarketId>,
    /// Only failures of this class.
    pub class: Option<FailureClass>,
}

impl RetryFilter {
    /// Whether a failed outcome in `market` is among those to retry.
    pub fn matches(&self, market: &MarketId, outcome: &Outcome) -> bool {
        let class = outcome.attempts.failure().map(crate::Failure::class);
        self.market.as_ref().is_none_or(|wanted| wanted == market)
            && class.is_some_and(|class| self.class.is_none_or(|wanted| wanted == class))
    }
}

/// One walk over the plan of a run.
///
/// What is pending follows from the records alone, so a crash in the middle of a retry loses nothing:
/// a retried product carries the number of the pass that retried it, and one that had its end-of-market retry
/// carries that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// 1 for the first walk, one more with each retry of failed products.
    pub number: u32,
    /// Whether products without an outcome are wanted.
    pub unfinished: bool,
    /// Which failed products of earlier passes are wanted again.
    pub retry: Option<RetryFilter>,
}

impl Pass {
    /// The first walk over a plan.
    pub const fn first() -> Self {
        Self { number: 1, unfinished: true, retry: None }
    }

    /// The pass that retries failed products only.
    #[must_use]
    pub fn retrying(&self, filter: RetryFilter) -> Self {
        Self { number: self.number.saturating_add(1), unfinished: false, retry: Some(filter) }
    }

    /// The same pass, also wanting what has no outcome yet.
    #[must_use]
    pub fn with_unfinished(&self) -> Self {
        Self { unfinished: true, ..self.clone() }
    }

    /// Whether a product of `market` is to be fetched, given its latest outcome in any run.
    pub fn wants(&self, run: RunId, market: &MarketId, latest: Option<&Outcome>) -> bool {
        match latest.filter(|outcome| outcome.run == run) {
            None => self.unfinished,
            Some(outcome) => {
                outcome.pass < self.number
                    && self.retry.as_ref().is_some_and(|filter| filter.matches(market, outcome))
            }
        }
    }

    /// Whether a product is to be fetched once more at the end of its market, given its latest outcome in
    /// any run. A pass that only retries what a person asked for leaves the others alone.
    pub fn wants_end_of_market_retry(&self, run: RunId, latest: Option<&Outcome>) -> bool {
        self.unfinished
            && latest.is_some_and(|outcome| outcome.run == run && outcome.awaits_end_of_market_retry())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Attempt, Attempts, Failure, Timestamp};

    fn outcome(run: u64, pass: u32, class: Option<FailureClass>) -> Outcome {
        let attempt = Attempt {
            at: Timestamp::from_millis(0),
            duration: Duration::ZERO,
            status_code: None,
            failure: class.map(|class| Failure::new(class, "failed")),
        };
        let attempts = Attempts::first(attempt);
        Outcome { run: RunId::from_number(run), pass, was_retried_at_end: false, attempts }
    }

    #[test]
    fn a_pass_wants_exactly_what_it_should() {
        use FailureClass::{NotFound, Timeout};
        let (run, us) = (RunId::from_number(2), MarketId::new("US").unwrap());
        let retry = |market: Option<&MarketId>, class| RetryFilter { market: market.cloned(), class };
        let other = MarketId::new("DE").unwrap();
        let first = Pass::first();
        let cases = [
            (first.clone(), None, true, "never fetched"),
            (first.clone(), Some(outcome(1, 1, None)), true, "fetched in an earlier run"),
            (first.clone(), Some(outcome(2, 1, None)), false, "has a price"),
            (first.clone(), Some(outcome(2, 1, Some(Timeout))), false, "failed, not retried yet"),
            (first.retrying(retry(None, None)), None, false, "unfinished is not failed"),
            (first.retrying(retry(None, None)), Some(outcome(2, 1, Some(Timeout))), true, "failed"),
            (first.retrying(retry(None, None)), Some(outcome(2, 2, Some(Timeout))), false, "failed again"),
            (first.retrying(retry(None, None)), Some(outcome(2, 1, None)), false, "has a price"),
            (first.retrying(retry(None, Some(NotFound))), Some(outcome(2, 1, Some(Timeout))), false, "class"),
            (first.retrying(retry(Some(&other), None)), Some(outcome(2, 1, Some(Timeout))), false, "market"),
            (first.retrying(retry(Some(&us), None)), Some(outcome(2, 1, Some(Timeout))), true, "market"),
            (first.retrying(retry(None, None)).with_unfinished(), None, true, "resumed in full"),
        ];
        for (pass, latest, expected, why) in cases {
            assert_eq!(pass.wants(run, &us, latest.as_ref()), expected, "{why}: {pass:?} {latest:?}");
        }
    }

    #[test]
    fn a_second_look_is_for_failures_that_may_pass_and_comes_once() {
        use FailureClass::{NotFound, Timeout};
        let run = RunId::from_number(2);
        let first = Pass::first();
        let looked_at = |outcome| Outcome { was_retried_at_end: true, ..outcome };
        let cases = [
            (first.clone(), None, false, "never fetched"),
            (first.clone(), Some(outcome(2, 1, None)), false, "has a price"),
            (first.clone(), Some(outcome(2, 1, Some(Timeout))), true, "failed"),
            (first.clone(), Some(outcome(1, 1, Some(Timeout))), false, "failed in an earlier run"),
            (first.clone(), Some(outcome(2, 1, Some(NotFound))), false, "will fail again"),
            (
                first.clone(),
                Some(looked_at(outcome(2, 1, Some(Timeout)))),
                false,
                "was retried at the end of its market",
            ),
            (
                first.retrying(RetryFilter::default()),
                Some(outcome(2, 1, Some(Timeout))),
                false,
                "not asked for",
            ),
            (
                first.retrying(RetryFilter::default()).with_unfinished(),
                Some(outcome(2, 2, Some(Timeout))),
                true,
                "resumed in full",
            ),
        ];
        for (pass, latest, expected, why) in cases {
            assert_eq!(
                pass.wants_end_of_market_retry(run, latest.as_ref()),
                expected,
                "{why}: {pass:?} {latest:?}"
            );
        }
    }
}
