//! The request log: the newest requests of the run, kept in memory and found again from the records after a restart. A
//! request is shown only once the record of its product is durable.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use price_cache_domain::{Attempt, Failure, MarketId, Outcome, ProductId, Timestamp};

/// How many calls of a run are kept at most, the newest.
pub const LOGGED_REQUESTS_MAX: usize = 10_000;

/// One call of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// When it was begun.
    pub at: Timestamp,
    /// Its market.
    pub market: MarketId,
    /// Its product.
    pub product: ProductId,
    /// Which request for the product in this run it was, from 1.
    pub number: u32,
    /// From its beginning to the end of its answer.
    pub duration: Duration,
    /// The HTTP status, where an answer with one came.
    pub status_code: Option<u16>,
    /// Why it failed; `None` when it brought a price.
    pub failure: Option<Failure>,
}

impl LoggedRequest {
    /// A text that names this call and no other of the run, the same before and after a restart: market,
    /// product and number with slashes between. A slash within an id is written `%2F`, a percent sign `%25`.
    pub fn id(&self) -> String {
        let escaped = |id: &str| id.replace('%', "%25").replace('/', "%2F");
        format!("{}/{}/{}", escaped(self.market.as_str()), escaped(self.product.as_str()), self.number)
    }

    fn key(&self) -> (Timestamp, &MarketId, &ProductId, u32) {
        (self.at, &self.market, &self.product, self.number)
    }
}

impl PartialOrd for LoggedRequest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LoggedRequest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// What the kept calls add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestLogStats {
    /// Calls kept.
    pub total: usize,
    /// Of these, those that brought a price.
    pub successful: usize,
    /// The duration of all kept calls together.
    pub duration: Duration,
}

/// The newest calls, ordered by time.
#[derive(Debug, Default)]
pub struct RequestLog {
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    by_time: BTreeSet<LoggedRequest>,
    stats: RequestLogStats,
}

impl Calls {
    /// Whether the log is full of calls newer than this time.
    fn is_beyond(&self, at: Timestamp) -> bool {
        self.by_time.len() >= LOGGED_REQUESTS_MAX && self.by_time.first().is_some_and(|oldest| at < oldest.at)
    }

    fn insert(&mut self, call: LoggedRequest) {
        let (success, duration) = (call.failure.is_none(), call.duration);
        if self.by_time.insert(call) {
            self.stats.total += 1;
            self.stats.successful += usize::from(success);
            self.stats.duration += duration;
        }
        if self.by_time.len() > LOGGED_REQUESTS_MAX
            && let Some(oldest) = self.by_time.pop_first()
        {
            self.stats.total -= 1;
            self.stats.successful -= usize::from(oldest.failure.is_none());
            self.stats.duration = self.stats.duration.saturating_sub(oldest.duration);
        }
    }
}

impl RequestLog {
    /// Adds the calls of an outcome that are newer than those of `replaced` and ended after `cleared_at`;
    /// answers with them.
    pub(crate) fn add(
        &self,
        market: &MarketId,
        product: &ProductId,
        replaced: Option<&Outcome>,
        outcome: &Outcome,
        cleared_at: Option<Timestamp>,
    ) -> Vec<LoggedRequest> {
        let logged_before = replaced.map_or(0, |outcome| outcome.attempts.requests());
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let added: Vec<_> = numbered(outcome, cleared_at)
            .filter(|(number, _)| *number > logged_before)
            .map(|(number, attempt)| logged(market, product, number, attempt))
            .collect();
        added.iter().cloned().for_each(|call| calls.insert(call));
        added
    }

    /// Finds the calls of an outcome again after a restart. Most of a large run are beyond what the log
    /// keeps, and cost no more than a look at their time.
    pub(crate) fn recover(
        &self,
        market: &MarketId,
        product: &ProductId,
        outcome: &Outcome,
        cleared_at: Option<Timestamp>,
    ) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, attempt) in numbered(outcome, cleared_at) {
            if !calls.is_beyond(attempt.at) {
                calls.insert(logged(market, product, number, attempt));
            }
        }
    }

    /// Forgets every call.
    pub(crate) fn clear(&self) {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner) = Calls::default();
    }

    /// The calls after the `skip` newest that `wanted` holds for, newest first, at most `limit`, and
    /// how many there are in all that it holds for.
    pub fn newest(
        &self,
        skip: usize,
        limit: usize,
        wanted: impl Fn(&LoggedRequest) -> bool,
    ) -> (Vec<LoggedRequest>, usize) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = 0;
        let mut page = Vec::new();
        for call in calls.by_time.iter().rev().filter(|call| wanted(call)) {
            if total >= skip && page.len() < limit {
                page.push(call.clone());
            }
            total += 1;
        }
        (page, total)
    }

    /// What all kept calls add up to.
    pub fn stats(&self) -> RequestLogStats {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).stats
    }
}

/// The kept attempts of an outcome that ended after `cleared_at`, each with its number in the run.
fn numbered(outcome: &Outcome, cleared_at: Option<Timestamp>) -> impl Iterator<Item = (u32, &Attempt)> {
    let kept = outcome.attempts.kept();
    let requests = outcome.attempts.requests();
    let first_kept = requests - u32::try_from(kept.len()).unwrap_or(requests);
    let is_cleared =
        move |attempt: &Attempt| cleared_at.is_some_and(|cleared_at| attempt.ended_at() <= cleared_at);
    (first_kept + 1..).zip(kept).filter(move |(_, attempt)| !is_cleared(attempt))
}

fn logged(market: &MarketId, product: &ProductId, number: u32, attempt: &Attempt) -> LoggedRequest {
    LoggedRequest {
        at: attempt.at,
        market: market.clone(),
        product: product.clone(),
        number,
        duration: attempt.duration,
        status_code: attempt.status_code,
        failure: attempt.failure.clone(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use price_cache_domain::{Attempts, RunId};

    use super::*;

    fn outcome(times: &[i64]) -> Outcome {
        let attempt = |at: &i64| Attempt {
            at: Timestamp::from_millis(*at),
            duration: Duration::from_millis(1),
            status_code: Some(200),
            failure: None,
        };
        let attempts =
            times[1..].iter().fold(Attempts::first(attempt(&times[0])), |all, at| all.then(attempt(at)));
        Outcome { run: RunId::from_number(1), pass: 1, was_retried_at_end: false, attempts }
    }

    fn ids() -> (MarketId, ProductId) {
        (MarketId::new("US").unwrap(), ProductId::new("p").unwrap())
    }

    #[test]
    fn only_the_newest_calls_stay_and_the_stats_are_theirs() {
        let log = RequestLog::default();
        let (market, _) = ids();
        for index in 0..LOGGED_REQUESTS_MAX as i64 + 5 {
            let product = ProductId::new(format!("p{index}")).unwrap();
            log.add(&market, &product, None, &outcome(&[index]), None);
        }
        assert_eq!(log.stats().total, LOGGED_REQUESTS_MAX);
        assert_eq!(log.stats().duration, Duration::from_secs(10));
        let (newest, total) = log.newest(1, 2, |_| true);
        assert_eq!(total, LOGGED_REQUESTS_MAX);
        assert_eq!(newest.iter().map(|call| call.at.as_millis()).collect::<Vec<_>>(), [10_003, 10_002]);
    }

    #[test]
    fn a_retried_product_adds_its_new_calls_only_and_cleared_ones_stay_away() {
        let (market, product) = ids();
        let log = RequestLog::default();
        let first = outcome(&[10, 20]);
        log.add(&market, &product, None, &first, None);
        log.add(&market, &product, Some(&first), &outcome(&[10, 20, 30]), None);
        assert_eq!(
            log.newest(0, 10, |_| true).0.iter().map(LoggedRequest::id).collect::<Vec<_>>(),
            ["US/p/3", "US/p/2", "US/p/1"]
        );
        let log = RequestLog::default();
        log.add(&market, &product, None, &outcome(&[10, 20, 30]), Some(Timestamp::from_millis(25)));
        assert_eq!(log.newest(0, 10, |_| true).1, 1);
    }

    #[test]
    fn recovery_finds_the_newest_calls_in_whatever_order_the_records_come() {
        let (market, _) = ids();
        let (live, recovered) = (RequestLog::default(), RequestLog::default());
        let count = LOGGED_REQUESTS_MAX as i64 + 50;
        for at in 0..count {
            let product = ProductId::new(format!("p{at}")).unwrap();
            live.add(&market, &product, None, &outcome(&[at]), None);
        }
        // 7 and the count have no common divisor, so that every time comes once.
        for index in 0..count {
            let at = index * 7 % count;
            let product = ProductId::new(format!("p{at}")).unwrap();
            recovered.recover(&market, &product, &outcome(&[at]), None);
        }
        assert_eq!(
            live.newest(0, LOGGED_REQUESTS_MAX, |_| true),
            recovered.newest(0, LOGGED_REQUESTS_MAX, |_| true)
        );
        assert_eq!(live.stats(), recovered.stats());
    }

    #[test]
    fn ids_with_slashes_do_not_give_two_calls_one_name() {
        let call = |market: &str, product: &str| {
            let (market, product) = (MarketId::new(market).unwrap(), ProductId::new(product).unwrap());
            let outcome = outcome(&[1]);
            logged(&market, &product, 1, &outcome.attempts.kept()[0]).id()
        };
        assert_eq!(call("a", "b/c%2F"), "a/b%2Fc%252F/1");
        assert_ne!(call("a/b", "c"), call("a", "b/c"));
    }
}
