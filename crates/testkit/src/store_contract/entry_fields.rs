//! What a store owes to the content of an entry: all of it.

use std::time::Duration;

use price_cache_domain::{
    ATTEMPTS_KEPT_MAX, Attempt, Attempts, CachedPrice, Entry, Failure, FailureClass, Outcome, RunId,
    Timestamp,
};

use super::Harness;
use super::samples::{done, failed, priced, record};
use crate::{market, price, product};

fn attempt(at: i64, duration: Duration, status_code: Option<u16>, failure: Option<Failure>) -> Attempt {
    Attempt { at: Timestamp::from_millis(at), duration, status_code, failure }
}

fn parts(requests: u32, busy: Duration, kept: Vec<Attempt>) -> Attempts {
    Attempts::from_parts(requests, busy, kept).unwrap_or_else(|| panic!("the parts of a sample disagree"))
}

fn samples() -> Vec<Entry> {
    let ok = |at| attempt(at, Duration::from_nanos(5_000_001), Some(200), None);
    let outcome = |run, pass, attempts| Outcome {
        run: RunId::from_number(run),
        pass,
        was_retried_at_end: pass != 1,
        attempts,
    };
    let cached = |amount, currency, fetched_at, run, etag: Option<&str>| CachedPrice {
        price: price(amount, currency),
        fetched_at: Timestamp::from_millis(fetched_at),
        run: RunId::from_number(run),
        etag: etag.map(str::to_owned),
    };
    let mut samples = vec![priced(1), failed(2)];
    for class in FailureClass::ALL {
        let message = format!("{class}: größe \"5xx\"\n{}", "…".repeat(90));
        let last = attempt(1_000, Duration::from_millis(3), Some(599), Some(Failure::new(class, message)));
        samples.push(Entry { price: None, outcome: outcome(1, 1, Attempts::first(last)) });
    }
    // The kept attempts are fewer than the requests, with gaps, standing clocks and clocks set back.
    let kept: Vec<Attempt> = (0_i64..)
        .zip([0, 0, 17, -400, 86_400_000, 5, i64::MAX, i64::MIN])
        .map(|(index, at)| {
            let failure = (index < 7).then(|| Failure::new(FailureClass::Transport, ""));
            attempt(at, Duration::from_secs(1), None, failure)
        })
        .collect();
    assert_eq!(kept.len(), ATTEMPTS_KEPT_MAX);
    for price in [None, Some(cached("0.024000", "JPY", 9_000, 1, Some("W/\"v 1\"")))] {
        let attempts = parts(u32::MAX, Duration::MAX, kept.clone());
        samples.push(Entry { price, outcome: outcome(u64::MAX, u32::MAX, attempts) });
    }
    // Amounts, validators and times at their limits.
    let amounts = ["0", "0.000000", "4000000", "99999999999999999999999999999999999999", "0.10", "1.0"];
    let etags = [None, Some(""), Some("\"\""), Some("\u{1f4b6}\u{0}"), Some("x"), None];
    for (amount, etag) in amounts.into_iter().zip(etags) {
        for (fetched_at, run) in [(0, 0), (i64::MIN, 5), (i64::MAX, u64::MAX), (1_767_225_600_005, 1)] {
            samples.push(Entry {
                price: Some(cached(amount, "EUR", fetched_at, run, etag)),
                outcome: outcome(1, 1, Attempts::first(ok(1_767_225_600_000))),
            });
        }
    }
    for currency in ["USD", "KWD", "VEF", "CLF"] {
        let duration = Duration::from_nanos(u64::MAX);
        let attempts = parts(2, Duration::ZERO, vec![attempt(-1, duration, Some(u16::MAX), None)]);
        samples
            .push(Entry { price: Some(cached("1", currency, 1, 2, None)), outcome: outcome(0, 0, attempts) });
    }
    samples
}

/// An entry comes back with every field: digits, currency, validator, times, runs, pass, end-of-market retry, counts,
/// durations to the nanosecond, status codes, classes and messages.
pub async fn every_field_of_an_entry_comes_back(harness: &dyn Harness) {
    let store = harness.open().await;
    let us = market("US");
    let samples = samples();
    let ids: Vec<_> = (0..samples.len()).map(|index| product(&format!("{index:03}"))).collect();
    for (id, sample) in ids.iter().zip(&samples) {
        record(&*store, &us, id, sample).await;
    }
    let store = harness.reopen(store).await;
    let found = done("entries_of", store.entries_of(&us, &ids)).await;
    for (found, sample) in found.iter().zip(&samples) {
        assert_eq!(found.as_ref(), Some(sample));
    }
    let pages = done("entries", store.entries(&us, None, usize::MAX)).await;
    assert!(pages.iter().map(|(_, entry)| entry).eq(&samples), "entries and entries_of disagree");
}
