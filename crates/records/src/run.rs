//! A run as it is stored.

use std::sync::Arc;

use minicbor::{Decode, Encode};
use price_cache_domain::{
    FailureClass, MarketId, MarketPlan, Pass, PauseReason, Plan, RetryFilter, Run, RunFailure,
    RunFailureClass, RunId, RunRecord, RunStatus, StoreError, Timestamp,
};

use crate::keys;
use crate::scalar::{
    Exact, failure_class_code, pause_reason_code, run_failure_class_code, status_code, with_code,
};
use crate::seal::{DecodeError, seal, unseal};

#[derive(Encode, Decode)]
#[cbor(map)]
struct StoredRun<'a> {
    #[n(0)]
    status: u8,
    #[n(1)]
    run: Option<u64>,
    #[n(2)]
    started_at: Option<i64>,
    #[n(3)]
    since: Option<i64>,
    #[n(4)]
    active_before: Exact,
    #[n(5)]
    pass: u32,
    #[n(6)]
    unfinished: bool,
    #[b(7)]
    retry: Option<StoredRetry<'a>>,
    #[n(8)]
    logs_cleared_at: Option<i64>,
    #[b(9)]
    plan: Option<Vec<StoredMarket<'a>>>,
    #[n(10)]
    pause_reason: Option<u8>,
    #[b(11)]
    failure: Option<StoredFailure<'a>>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct StoredRetry<'a> {
    #[b(0)]
    market: Option<&'a str>,
    #[n(1)]
    class: Option<u8>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct StoredMarket<'a> {
    #[b(0)]
    market: &'a str,
    #[n(1)]
    list: u32,
    #[n(2)]
    pages: u32,
    #[n(3)]
    total: u64,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct StoredFailure<'a> {
    #[n(0)]
    class: u8,
    #[b(1)]
    message: &'a str,
    #[n(2)]
    retry_at: Option<i64>,
}

/// Encodes the run.
///
/// # Errors
/// It is too large for the format.
pub fn encode_run(run: &Run) -> Result<Vec<u8>, StoreError> {
    let record = RunRecord::from(run);
    let plan = record.plan.as_ref().map(|plan| {
        let markets = plan.markets().iter().map(|market| StoredMarket {
            market: market.market.as_str(),
            list: market.list,
            pages: market.pages,
            total: market.total,
        });
        markets.collect()
    });
    let stored = StoredRun {
        status: status_code(record.status),
        run: record.run.map(RunId::number),
        started_at: record.started_at.map(Timestamp::as_millis),
        since: record.since.map(Timestamp::as_millis),
        active_before: Exact(record.active_before),
        pass: record.pass.number,
        unfinished: record.pass.unfinished,
        retry: record.pass.retry.as_ref().map(|filter| StoredRetry {
            market: filter.market.as_ref().map(MarketId::as_str),
            class: filter.class.map(failure_class_code),
        }),
        logs_cleared_at: record.logs_cleared_at.map(Timestamp::as_millis),
        plan,
        pause_reason: record.pause_reason.map(pause_reason_code),
        failure: record.failure.as_ref().map(|failure| StoredFailure {
            class: run_failure_class_code(failure.class),
            message: &failure.message,
            retry_at: failure.retry_at.map(Timestamp::as_millis),
        }),
    };
    seal(keys::RUN, &stored, 64)
}

/// Decodes the run.
///
/// # Errors
/// The bytes are not a run, or a newer version wrote them.
pub fn decode_run(bytes: &[u8]) -> Result<Run, DecodeError> {
    let stored: StoredRun<'_> = unseal(keys::RUN, bytes)?;
    let record = RunRecord {
        status: with_code(&RunStatus::ALL, status_code, stored.status, "state")?,
        run: stored.run.map(RunId::from_number),
        started_at: stored.started_at.map(Timestamp::from_millis),
        since: stored.since.map(Timestamp::from_millis),
        active_before: stored.active_before.0,
        pass: Pass {
            number: stored.pass,
            unfinished: stored.unfinished,
            retry: stored.retry.map(decode_retry).transpose()?,
        },
        logs_cleared_at: stored.logs_cleared_at.map(Timestamp::from_millis),
        plan: stored.plan.map(decode_plan).transpose()?.map(Arc::new),
        pause_reason: stored
            .pause_reason
            .map(|code| with_code(&PauseReason::ALL, pause_reason_code, code, "pause reason"))
            .transpose()?,
        failure: stored.failure.map(decode_failure).transpose()?,
    };
    Run::try_from(record).map_err(DecodeError::damaged)
}

fn decode_retry(stored: StoredRetry<'_>) -> Result<RetryFilter, DecodeError> {
    Ok(RetryFilter {
        market: stored.market.map(MarketId::new).transpose().map_err(DecodeError::damaged)?,
        class: stored
            .class
            .map(|code| with_code(&FailureClass::ALL, failure_class_code, code, "failure class"))
            .transpose()?,
    })
}

fn decode_plan(stored: Vec<StoredMarket<'_>>) -> Result<Plan, DecodeError> {
    let markets: Result<Vec<MarketPlan>, DecodeError> = stored
        .into_iter()
        .map(|market| {
            Ok(MarketPlan {
                market: MarketId::new(market.market).map_err(DecodeError::damaged)?,
                list: market.list,
                pages: market.pages,
                total: market.total,
            })
        })
        .collect();
    Plan::new(markets?).map_err(DecodeError::damaged)
}

fn decode_failure(stored: StoredFailure<'_>) -> Result<RunFailure, DecodeError> {
    Ok(RunFailure {
        class: with_code(&RunFailureClass::ALL, run_failure_class_code, stored.class, "kind of failure")?,
        message: stored.message.to_owned(),
        retry_at: stored.retry_at.map(Timestamp::from_millis),
    })
}
