//! One stretch of work under way, from a start to a stop or an end: the planning or the walk over the
//! markets of a plan. Workers report to the task that owns the run and decide nothing about it.

use std::future::Future;
use std::sync::Arc;

use price_cache_domain::{Clock, PriceSource, RunFailureClass, RunId, Store, StoreError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::Options;
use crate::upstream::credentials::Credentials;
use crate::upstream::pacing::Pacing;
use crate::upstream::parking::Parking;
use crate::upstream::retry::RetryPolicy;
use crate::upstream::retry_budget::RetryBudget;
use crate::walk::market_queue::Queue;
use crate::walk::market_walk::{WalkEnd, walk_market};
use crate::walk::planner;
use crate::walk::report::{ProductDone, Report, SessionEnd, SessionFailure, Walk};

/// What every worker needs.
pub(crate) struct Work {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) source: Arc<dyn PriceSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) pacing: Arc<Pacing>,
    pub(crate) parking: Parking,
    pub(crate) credentials: Credentials,
    pub(crate) reports: mpsc::Sender<Report>,
}

impl Work {
    /// Tells the task that owns the run; it may be gone at the end of the program.
    pub(crate) async fn report(&self, report: Report) {
        let _ = self.reports.send(report).await;
    }
}

/// Makes the plan of a run and reports [`SessionEnd`].
pub(crate) fn spawn_planning(work: Arc<Work>, run: RunId, cancel: CancellationToken) {
    // The run is new.
    work.budget.reset();
    work.parking.reset();
    let planning = {
        let work = Arc::clone(&work);
        async move { planner::make_plan(&work, run, &cancel).await }
    };
    supervise(work, planning);
}

/// Records what the store refused before, walks markets, and reports [`SessionEnd`].
pub(crate) fn spawn_walk(
    work: Arc<Work>,
    walk: Walk,
    not_recorded: Vec<ProductDone>,
    cancel: CancellationToken,
) {
    work.credentials.reset(walk.were_accepted);
    let walking = {
        let work = Arc::clone(&work);
        async move {
            match record_again(&work, &walk, not_recorded).await {
                Ok(()) => walk_markets(work, walk, cancel).await,
                Err(error) => SessionEnd::Failed(error.into()),
            }
        }
    };
    supervise(work, walking);
}

/// Records products that were fetched while the store could not keep them. One after another: they are
/// few, and the walk must find all of them.
async fn record_again(work: &Work, walk: &Walk, not_recorded: Vec<ProductDone>) -> Result<(), StoreError> {
    let mut result = Ok(());
    for done in not_recorded {
        let Some(market) = walk.plan.markets().get(done.market) else { continue };
        if result.is_ok() {
            result = work.store.record(&market.market, &done.product, done.entry.clone()).await;
        }
        let done = Box::new(done);
        let report = if result.is_ok() { Report::ProductDone(done) } else { Report::NotRecorded(done) };
        work.report(report).await;
    }
    result
}

/// Runs a session in a task of its own; a panic in it ends the session, not the program.
fn supervise(work: Arc<Work>, session: impl Future<Output = SessionEnd> + Send + 'static) {
    tokio::spawn(async move {
        let end = tokio::spawn(session).await.unwrap_or_else(|_| SessionEnd::Failed(defect()));
        work.report(Report::SessionEnded(end)).await;
    });
}

/// What is said after a panic.
pub(crate) fn defect() -> SessionFailure {
    SessionFailure {
        class: RunFailureClass::Internal,
        message: "a worker ended by a defect in this program, see the log; start goes on where it was"
            .to_owned(),
        retryable: true,
    }
}

/// Walks the markets in order, `parallel_markets` at a time; a parked one makes room and is probed when its
/// time has come. The first failure ends the others, once what they have fetched is on disk.
async fn walk_markets(work: Arc<Work>, walk: Walk, cancel: CancellationToken) -> SessionEnd {
    let mut queue = Queue::of(&work, walk).await;
    let mut walking = JoinSet::new();
    let mut end = SessionEnd::Walked;
    loop {
        while walking.len() < work.options.parallel_markets.get() && !cancel.is_cancelled() {
            let Some(job) = queue.next(Instant::now()) else { break };
            let work = Arc::clone(&work);
            let cancel = cancel.child_token();
            walking.spawn(async move { (walk_market(&work, &job, &cancel).await, job) });
        }
        let has_room = walking.len() < work.options.parallel_markets.get() && !walking.is_empty();
        let probe_due = queue.earliest().filter(|_| has_room && !cancel.is_cancelled());
        let joined = tokio::select! {
            biased;
            joined = walking.join_next() => joined,
            () = sleep_until(probe_due.unwrap_or_else(Instant::now)), if probe_due.is_some() => continue,
        };
        let failure = match joined {
            None => break,
            Some(Ok((WalkEnd::Done, _))) => continue,
            Some(Ok((WalkEnd::Deferred, job))) => {
                queue.defer(&work, &job).await;
                continue;
            }
            Some(Ok((WalkEnd::Parked(until), job))) => {
                queue.park(&work, job, until).await;
                continue;
            }
            Some(Ok((WalkEnd::Cancelled, _))) => {
                if matches!(end, SessionEnd::Walked) {
                    end = SessionEnd::Cancelled;
                }
                continue;
            }
            Some(Ok((WalkEnd::Failed(failure), _))) => failure,
            Some(Err(_)) => defect(),
        };
        cancel.cancel();
        if !matches!(end, SessionEnd::Failed(_)) {
            end = SessionEnd::Failed(failure);
        }
    }
    match end {
        // A stop between two markets finds nobody walking.
        SessionEnd::Walked if cancel.is_cancelled() && !queue.is_empty() => SessionEnd::Cancelled,
        SessionEnd::Walked => queue.end(&work),
        end => end,
    }
}
