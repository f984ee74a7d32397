//! An entry as it is stored. What follows from other fields is left out, and times are differences: a
//! fetched price takes about fifty bytes.

use std::time::Duration;

use minicbor::{Decode, Encode};
use price_cache_domain::{
    Amount, Attempt, Attempts, CachedPrice, Currency, Entry, Failure, FailureClass, Outcome, Price, RunId,
    StoreError, Timestamp,
};

use crate::scalar::{Exact, failure_class_code, with_code};
use crate::seal::{DecodeError, seal, unseal};

/// Fits most entries, so that encoding allocates once.
const BYTES_EXPECTED: usize = 96;

#[derive(Encode, Decode)]
#[cbor(map)]
struct EntryRecord<'a> {
    #[n(0)]
    run: u64,
    /// Absent: 1.
    #[n(1)]
    pass: Option<u32>,
    /// Absent: as many as attempts are kept.
    #[n(2)]
    requests: Option<u32>,
    /// Absent: the sum over the kept attempts.
    #[n(3)]
    busy: Option<Exact>,
    #[b(4)]
    attempts: Vec<AttemptRecord<'a>>,
    /// Absent: there never was a price, and none of the fields below.
    #[b(5)]
    amount: Option<&'a str>,
    #[b(6)]
    currency: Option<&'a str>,
    /// Milliseconds from the end of the last attempt. Absent: 0.
    #[n(7)]
    fetched_after: Option<i64>,
    /// Absent: the run of the outcome.
    #[n(8)]
    price_run: Option<u64>,
    #[b(9)]
    etag: Option<&'a str>,
    /// Absent: it was not retried at the end of its market.
    #[n(10)]
    was_retried_at_end: Option<bool>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct AttemptRecord<'a> {
    /// Milliseconds from the attempt before, or for the first from the number of the run, which is
    /// about the time of its start.
    #[n(0)]
    at: i64,
    #[n(1)]
    duration: Exact,
    #[n(2)]
    status_code: Option<u16>,
    /// Absent: it succeeded.
    #[n(3)]
    class: Option<u8>,
    #[b(4)]
    message: Option<&'a str>,
}

/// Where the times of a run's attempts are counted from. Differences wrap, so that any two times have
/// one and give each other back.
const fn origin(run: RunId) -> i64 {
    run.number().cast_signed()
}

fn busy_of(kept: &[Attempt]) -> Duration {
    kept.iter().fold(Duration::ZERO, |sum, attempt| sum.saturating_add(attempt.duration))
}

/// Encodes an entry under its key.
///
/// # Errors
/// A value of it is too large for the format.
pub fn encode_entry(key: &[u8], entry: &Entry) -> Result<Vec<u8>, StoreError> {
    let outcome = &entry.outcome;
    let kept = outcome.attempts.kept();
    let mut before = origin(outcome.run);
    let attempts = kept.iter().map(|attempt| {
        let at = attempt.at.as_millis();
        let failure = attempt.failure.as_ref();
        let record = AttemptRecord {
            at: at.wrapping_sub(before),
            duration: Exact(attempt.duration),
            status_code: attempt.status_code,
            class: failure.map(|failure| failure_class_code(failure.class())),
            message: failure.map(Failure::message),
        };
        before = at;
        record
    });
    let attempts = attempts.collect();
    let requests = outcome.attempts.requests();
    let busy = outcome.attempts.busy();
    let ended_at = outcome.attempts.ended_at().as_millis();
    let price = entry.price.as_ref();
    let record = EntryRecord {
        run: outcome.run.number(),
        pass: (outcome.pass != 1).then_some(outcome.pass),
        requests: (u32::try_from(kept.len()) != Ok(requests)).then_some(requests),
        busy: (busy != busy_of(kept)).then_some(Exact(busy)),
        attempts,
        amount: price.map(|price| price.price.amount.as_str()),
        currency: price.map(|price| price.price.currency.code()),
        fetched_after: price
            .map(|price| price.fetched_at.as_millis().wrapping_sub(ended_at))
            .filter(|difference| *difference != 0),
        price_run: price.filter(|price| price.run != outcome.run).map(|price| price.run.number()),
        etag: price.and_then(|price| price.etag.as_deref()),
        was_retried_at_end: outcome.was_retried_at_end.then_some(true),
    };
    seal(key, &record, BYTES_EXPECTED)
}

/// Decodes the entry under a key.
///
/// # Errors
/// The bytes are not an entry of this key, or a newer version wrote them.
pub fn decode_entry(key: &[u8], bytes: &[u8]) -> Result<Entry, DecodeError> {
    let record: EntryRecord<'_> = unseal(key, bytes)?;
    let run = RunId::from_number(record.run);
    let mut before = origin(run);
    let mut kept = Vec::with_capacity(record.attempts.len());
    for attempt in record.attempts {
        let at = before.wrapping_add(attempt.at);
        before = at;
        let failure = match attempt.class {
            None => None,
            Some(code) => {
                let class = with_code(&FailureClass::ALL, failure_class_code, code, "failure class")?;
                Some(Failure::new(class, attempt.message.unwrap_or_default()))
            }
        };
        kept.push(Attempt {
            at: Timestamp::from_millis(at),
            duration: attempt.duration.0,
            status_code: attempt.status_code,
            failure,
        });
    }
    let busy = record.busy.map_or_else(|| busy_of(&kept), |busy| busy.0);
    let requests = match record.requests {
        Some(requests) => requests,
        None => u32::try_from(kept.len()).map_err(DecodeError::damaged)?,
    };
    let attempts = Attempts::from_parts(requests, busy, kept)
        .ok_or_else(|| DecodeError::damaged("its attempts contradict each other"))?;
    let price = match (record.amount, record.currency) {
        (Some(amount), Some(currency)) => {
            let fetched_at = attempts.ended_at().as_millis().wrapping_add(record.fetched_after.unwrap_or(0));
            Some(CachedPrice {
                price: Price {
                    amount: Amount::parse(amount).map_err(DecodeError::damaged)?,
                    currency: Currency::parse(currency).map_err(DecodeError::damaged)?,
                },
                fetched_at: Timestamp::from_millis(fetched_at),
                run: record.price_run.map_or(run, RunId::from_number),
                etag: record.etag.map(str::to_owned),
            })
        }
        (None, None) => None,
        _ => return Err(DecodeError::damaged("it has half a price")),
    };
    let was_retried_at_end = record.was_retried_at_end.unwrap_or(false);
    Ok(Entry {
        price,
        outcome: Outcome { run, pass: record.pass.unwrap_or(1), was_retried_at_end, attempts },
    })
}
