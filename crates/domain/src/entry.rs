//! What the cache holds for one (market, product): the last good price and the latest outcome. One
//! entry is one record of the store, and everything that is ever counted is counted from entries.

use std::time::Duration;

use crate::{Failure, Fetched, Price, RunId, Timestamp};

/// How many of a product's newest attempts in a run are kept in its record; all are counted.
pub const ATTEMPTS_KEPT_MAX: usize = 8;

/// One HTTP request for a price and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When the request was begun.
    pub at: Timestamp,
    /// From the beginning of the request to the end of its answer.
    pub duration: Duration,
    /// The HTTP status, where an answer with one came.
    pub status_code: Option<u16>,
    /// Why it failed; `None` when it brought a price.
    pub failure: Option<Failure>,
}

impl Attempt {
    /// When the attempt ended.
    pub fn ended_at(&self) -> Timestamp {
        self.at.plus(self.duration)
    }
}

/// All attempts for one product in one run, never empty: how many, how long, and the newest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    requests: u32,
    busy: Duration,
    kept: Vec<Attempt>,
}

impl Attempts {
    /// Begins with the first attempt.
    pub fn first(attempt: Attempt) -> Self {
        Self { requests: 1, busy: attempt.duration, kept: vec![attempt] }
    }

    /// Rebuilds what a store kept. `None` where the parts contradict each other: no attempt kept, more
    /// kept than counted, or more than [`ATTEMPTS_KEPT_MAX`].
    pub fn from_parts(requests: u32, busy: Duration, kept: Vec<Attempt>) -> Option<Self> {
        let consistent = !kept.is_empty()
            && kept.len() <= ATTEMPTS_KEPT_MAX
            && u32::try_from(kept.len()).is_ok_and(|kept| kept <= requests);
        consistent.then_some(Self { requests, busy, kept })
    }

    /// Adds a later attempt; the oldest kept one goes when there are more than [`ATTEMPTS_KEPT_MAX`].
    #[must_use]
    pub fn then(mut self, attempt: Attempt) -> Self {
        self.requests = self.requests.saturating_add(1);
        self.busy = self.busy.saturating_add(attempt.duration);
        if self.kept.len() >= ATTEMPTS_KEPT_MAX {
            self.kept.remove(0);
        }
        self.kept.push(attempt);
        self
    }

    /// How many requests were made.
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// The duration of all requests together, without the waits between them.
    pub const fn busy(&self) -> Duration {
        self.busy
    }

    /// The newest attempts, oldest first, at least one.
    pub fn kept(&self) -> &[Attempt] {
        &self.kept
    }

    /// The latest attempt's failure, or `None` when it succeeded.
    pub fn failure(&self) -> Option<&Failure> {
        self.kept.last().and_then(|attempt| attempt.failure.as_ref())
    }

    /// When the latest attempt ended.
    pub fn ended_at(&self) -> Timestamp {
        self.kept.last().map_or(Timestamp::from_millis(0), Attempt::ended_at)
    }
}

/// Which visit of a product brought an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The run.
    pub run: RunId,
    /// The pass of the run.
    pub pass: u32,
    /// Whether it was the end-of-market retry of a failed product.
    pub is_second: bool,
}

impl Visit {
    /// A visit while a pass walks over its products.
    pub const fn first(run: RunId, pass: u32) -> Self {
        Self { run, pass, is_second: false }
    }

    /// The end-of-market retry of a product that failed.
    pub const fn second(run: RunId, pass: u32) -> Self {
        Self { run, pass, is_second: true }
    }
}

/// What became of a product in a run: a price or a failure, with all attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The run it belongs to; outcomes of other runs do not count in this one.
    pub run: RunId,
    /// The pass of the run in which it was written: 1, or more when failed products were retried.
    pub pass: u32,
    /// Whether the product had its end-of-market retry, which it gets only once.
    pub was_retried_at_end: bool,
    /// Every attempt in this run, also of earlier passes.
    pub attempts: Attempts,
}

impl Outcome {
    /// Whether the product's latest attempt brought a price.
    pub fn is_success(&self) -> bool {
        self.attempts.failure().is_none()
    }

    /// Whether the product had a transient failure, and had no end-of-market retry yet.
    pub fn awaits_end_of_market_retry(&self) -> bool {
        !self.was_retried_at_end && self.attempts.failure().is_some_and(|failure| failure.class().may_pass())
    }
}

/// The last good price of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedPrice {
    /// The price.
    pub price: Price,
    /// When the source last gave or confirmed it.
    pub fetched_at: Timestamp,
    /// The run in which it was last given or confirmed.
    pub run: RunId,
    /// The source's validator for conditional requests (an HTTP `ETag`), where it gave one.
    pub etag: Option<String>,
}

/// The record of one (market, product).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last good price; stays when later fetches fail. `None` when there never was one.
    pub price: Option<CachedPrice>,
    /// What became of the product in the latest run that reached it.
    pub outcome: Outcome,
}

impl Entry {
    /// The entry that follows `previous` when a product was fetched with success: `last` is the
    /// successful attempt, `earlier` the failed ones before it in this visit.
    ///
    /// An answer [`Fetched::NotModified`] confirms the price that `previous` holds; without one it
    /// leaves the price absent, so a source must not answer so unless asked with a validator.
    pub fn priced(
        previous: Option<&Self>,
        visit: Visit,
        earlier: Option<Attempts>,
        last: Attempt,
        fetched: Fetched,
    ) -> Self {
        let (fetched_at, run) = (last.ended_at(), visit.run);
        let last = Attempt { failure: None, ..last };
        let price = match fetched {
            Fetched::Price(quote) => {
                Some(CachedPrice { price: quote.price, fetched_at, run, etag: quote.etag })
            }
            Fetched::NotModified => previous
                .and_then(|entry| entry.price.clone())
                .map(|confirmed| CachedPrice { fetched_at, run, ..confirmed }),
        };
        let attempts = match earlier {
            Some(earlier) => earlier.then(last),
            None => Attempts::first(last),
        };
        Self { price, outcome: Self::outcome_after(previous, visit, attempts) }
    }

    /// The entry that follows `previous` when every attempt of this visit failed; the price stays.
    pub fn failed(previous: Option<&Self>, visit: Visit, attempts: Attempts) -> Self {
        Self {
            price: previous.and_then(|entry| entry.price.clone()),
            outcome: Self::outcome_after(previous, visit, attempts),
        }
    }

    /// The outcome, when it belongs to `run`.
    pub fn outcome_in(&self, run: RunId) -> Option<&Outcome> {
        (self.outcome.run == run).then_some(&self.outcome)
    }

    /// Attempts of earlier visits in the same run stay counted, and so does an end-of-market retry.
    fn outcome_after(previous: Option<&Self>, visit: Visit, attempts: Attempts) -> Outcome {
        let Visit { run, pass, is_second } = visit;
        let earlier = previous.and_then(|entry| entry.outcome_in(run));
        let was_retried_at_end = is_second || earlier.is_some_and(|earlier| earlier.was_retried_at_end);
        let attempts = match earlier {
            Some(earlier) => {
                let mut all = earlier.attempts.clone();
                let uncounted =
                    attempts.requests.saturating_sub(u32::try_from(attempts.kept.len()).unwrap_or(0));
                let kept_busy: Duration = attempts.kept.iter().map(|attempt| attempt.duration).sum();
                all.requests = all.requests.saturating_add(uncounted);
                all.busy = all.busy.saturating_add(attempts.busy.saturating_sub(kept_busy));
                attempts.kept.into_iter().fold(all, Attempts::then)
            }
            None => attempts,
        };
        Outcome { run, pass, was_retried_at_end, attempts }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Amount, Currency, FailureClass, Quote};

    const RUN: RunId = RunId::from_number(7);

    fn attempt(at: i64, failed: bool) -> Attempt {
        Attempt {
            at: Timestamp::from_millis(at),
            duration: Duration::from_millis(10),
            status_code: Some(if failed { 500 } else { 200 }),
            failure: failed.then(|| Failure::new(FailureClass::ServerError, "status 500")),
        }
    }

    fn quote(amount: &str) -> Fetched {
        let price =
            Price { amount: Amount::parse(amount).unwrap(), currency: Currency::parse("EUR").unwrap() };
        Fetched::Price(Quote { price, etag: Some("\"v1\"".to_owned()) })
    }

    #[test]
    fn the_last_good_price_stays_when_a_later_fetch_fails() {
        let good = Entry::priced(None, Visit::first(RUN, 1), None, attempt(0, false), quote("19.99"));
        let later = Entry::failed(
            Some(&good),
            Visit::first(RunId::from_number(8), 1),
            Attempts::first(attempt(500, true)),
        );
        assert_eq!(later.price, good.price);
        assert!(!later.outcome.is_success());
        assert_eq!(later.outcome.attempts.requests(), 1, "attempts of another run do not count");
    }

    #[test]
    fn a_confirmed_price_is_as_young_as_its_confirmation() {
        let good = Entry::priced(None, Visit::first(RUN, 1), None, attempt(0, false), quote("19.99"));
        let run = RunId::from_number(8);
        let confirmed = Entry::priced(
            Some(&good),
            Visit::first(run, 1),
            None,
            attempt(9_000, false),
            Fetched::NotModified,
        );
        let price = confirmed.price.unwrap();
        assert_eq!(
            (price.price.amount.as_str(), price.fetched_at.as_millis(), price.run),
            ("19.99", 9_010, run)
        );
    }

    #[test]
    fn passes_of_one_run_add_their_attempts_up_and_keep_the_newest() {
        let many =
            (0..10).fold(Attempts::first(attempt(0, true)), |all, index| all.then(attempt(index, true)));
        let failed = Entry::failed(None, Visit::first(RUN, 1), many);
        assert_eq!(failed.outcome.attempts.requests(), 11);
        assert_eq!(failed.outcome.attempts.kept().len(), ATTEMPTS_KEPT_MAX);
        let earlier = Some(Attempts::first(attempt(100, true)));
        let retried =
            Entry::priced(Some(&failed), Visit::second(RUN, 1), earlier, attempt(200, false), quote("1"));
        assert_eq!(retried.outcome.attempts.requests(), 13);
        assert_eq!(retried.outcome.attempts.busy(), Duration::from_millis(130));
        assert_eq!(retried.outcome.attempts.kept().last().unwrap().at.as_millis(), 200);
        assert!(retried.outcome.is_success() && retried.outcome.was_retried_at_end);
    }
}
