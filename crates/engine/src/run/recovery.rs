//! Finds the run again after a restart: the same fold over the same records that counted them live.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use futures_util::{StreamExt, TryStreamExt, stream};
use price_cache_domain::{Event, PauseReason, Run, Store, StoreError, Timestamp, transition};

use crate::Options;
use crate::error::OpenError;
use crate::view::entries::Entries;
use crate::view::request_log::RequestLog;
use crate::view::snapshot::MarketSnapshot;
use crate::walk::activity::Activity;

/// Markets counted at a time: a store reads the next page of one while another is folded. More would
/// only hold more pages in memory.
const MARKETS_COUNTED_AT_ONCE: usize = 2;

/// The latest calls of a market from which its pace is taken up again.
const PACE_CALLS_MAX: usize = 1_000;

/// What the store holds of the run.
pub(crate) struct Recovered {
    pub(crate) run: Run,
    pub(crate) markets: Vec<MarketSnapshot>,
}

/// Reads the run and counts its records. A run that was under way is found paused, as of its last sign of
/// life, so that the time the program was gone does not count as time under way.
pub(crate) async fn recover(
    store: &dyn Store,
    log: &RequestLog,
    options: &Options,
) -> Result<Recovered, OpenError> {
    let run = store.load_run().await?;
    let mut markets = Vec::new();
    let mut last_activity = None;
    if let Some(plan) = run.plan() {
        let counting = plan.markets().iter().map(|planned| {
            let mut market = MarketSnapshot::new(planned);
            async {
                let latest = count(store, &run, &mut market, log, options).await?;
                Ok::<_, StoreError>((market, latest))
            }
        });
        let mut counted = stream::iter(counting).buffered(MARKETS_COUNTED_AT_ONCE);
        while let Some((market, latest)) = counted.try_next().await? {
            last_activity = last_activity.max(latest);
            markets.push(market);
        }
    }
    let since = match &run {
        Run::Initializing(state) => Some(state.since()),
        Run::Processing(state) => Some(state.since()),
        Run::Idle(_) | Run::Paused(_) | Run::Completed(_) | Run::Error(_) => None,
    };
    let Some(since) = since else { return Ok(Recovered { run, markets }) };
    let at = last_activity.map_or(since, |latest: Timestamp| latest.max(since));
    let found = transition(&run, Event::Stop { reason: PauseReason::Interrupted }, at);
    // The table allows this from both states that run; where it did not, the run stays as it is.
    let run = found.unwrap_or(run);
    if let Err(error) = store.save_run(run.clone()).await {
        // Prices can be read all the same, and the run goes on once the store can keep that again.
        match error {
            StoreError::Full(_) | StoreError::Io(_) => {
                tracing::error!(%error, "that the run was interrupted could not be stored");
            }
            StoreError::Damaged(_) | StoreError::NewerFormat { .. } | StoreError::Closed => {
                return Err(error.into());
            }
        }
    }
    tracing::info!(run = ?run.latest_id(), "found an interrupted run, which is paused now");
    Ok(Recovered { run, markets })
}

/// Counts the entries of one market that belong to the run; tells when the latest of them ended.
async fn count(
    store: &dyn Store,
    run: &Run,
    market: &mut MarketSnapshot,
    log: &RequestLog,
    options: &Options,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(facts) = run.facts() else { return Ok(None) };
    let id = market.market.clone();
    let mut latest = None;
    let mut latest_calls = BinaryHeap::new();
    let mut entries = Entries::of(store, &id);
    while let Some(page) = entries.next_page().await? {
        for (product, entry) in &page {
            let Some(outcome) = entry.outcome_in(facts.id()) else { continue };
            if let Err(overcounted) = market.count(facts, None, outcome) {
                tracing::error!(market = %id, %product, %overcounted, "look with the doctor command");
                continue;
            }
            latest_calls.push(Reverse((outcome.attempts.ended_at(), outcome.attempts.busy())));
            if latest_calls.len() > PACE_CALLS_MAX {
                latest_calls.pop();
            }
            latest = latest.max(Some(outcome.attempts.ended_at()));
            log.recover(&id, product, outcome, facts.logs_cleared_at());
        }
    }
    // The store is in the order of the products, the pace follows time. What was between two completions is
    // counted as it was live. A longer wait than an upstream may ask for was a pause, which no record tells of.
    let delay = options.delay_between_requests;
    let wait_max = options.retry.retry_after_max.max(delay);
    let mut before = None;
    for Reverse((ended_at, busy)) in latest_calls.into_sorted_vec().into_iter().rev() {
        let took = before.map(|before| ended_at.since(before));
        let took = took.filter(|took| *took <= busy.saturating_add(wait_max));
        market.pace.observe(took.unwrap_or(busy.saturating_add(delay)));
        before = Some(ended_at);
    }
    if market.to_do(facts.pass(), options.retry.end_of_market_retry) == 0 {
        market.activity = Activity::Done;
    }
    Ok(latest)
}
