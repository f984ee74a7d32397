//! One session: the planning of a run or the walk over the markets of a plan, from a start to a stop or an end.
//! Workers report to the task that owns the run and decide nothing about it.

use std::future::Future;
use std::sync::Arc;

use price_cache_domain::{Clock, PriceSource, RunId, Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::walk::market_job::{MarketJob, WalkEnd};
use crate::walk::market_queue::Queue;
use crate::walk::market_walk::MarketWalk;
use crate::walk::options::WalkOptions;
use crate::walk::planner::Planner;
use crate::walk::report::{ProductDone, Report, SessionEnd, SessionFailure, Walk};
use crate::walk::reporter::Reporter;
use crate::walk::requester::Requester;
use crate::walk::upstream_access::UpstreamAccess;

/// Starts sessions, one at a time.
#[derive(Clone)]
pub(crate) struct Sessions {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) source: Arc<dyn PriceSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) upstream: Arc<UpstreamAccess>,
    pub(crate) reporter: Reporter,
    pub(crate) options: WalkOptions,
}

impl Sessions {
    /// Makes the plan of a new run and reports [`SessionEnd`].
    pub(crate) fn plan(&self, run: RunId, cancel: CancellationToken) {
        self.upstream.with(|machine, _| machine.begin_run());
        let session = self.clone();
        self.supervise(async move {
            let Self { store, source, clock, upstream, reporter, .. } = &session;
            let requester = Requester { upstream, clock: &**clock, reporter, cancel: &cancel };
            Planner { store: &**store, source: &**source, requester, run }.make_plan().await
        });
    }

    /// Records what the store refused before, walks markets, and reports [`SessionEnd`].
    pub(crate) fn walk(&self, walk: Walk, not_recorded: Vec<ProductDone>, cancel: CancellationToken) {
        let (were_accepted, is_asked_for) = (walk.were_accepted, walk.probe_at_once);
        self.upstream.with(|machine, now| machine.begin_walk(were_accepted, is_asked_for, now.instant));
        let session = self.clone();
        self.supervise(async move {
            match record_again(&*session.store, &session.reporter, &walk, not_recorded).await {
                Ok(()) => session.walk_markets(walk, cancel).await,
                Err(error) => SessionEnd::Failed(error.into()),
            }
        });
    }

    /// Runs a session in a task of its own; a panic in it ends the session, not the program.
    fn supervise(&self, session: impl Future<Output = SessionEnd> + Send + 'static) {
        let reporter = self.reporter.clone();
        tokio::spawn(async move {
            let end = tokio::spawn(session)
                .await
                .unwrap_or_else(|_| SessionEnd::Failed(SessionFailure::panicked()));
            reporter.report(Report::SessionEnded(end)).await;
        });
    }

    /// Walks the markets in order, `parallel_markets` at a time; a parked one makes room and is probed when its
    /// time has come. The first failure ends the others, once what they have fetched is on disk.
    async fn walk_markets(&self, walk: Walk, cancel: CancellationToken) -> SessionEnd {
        let parallel_max = self.options.parallel_markets;
        let mut queue = Queue::new(&self.upstream, &self.reporter, &*self.clock);
        queue.fill(walk).await;
        let mut walking = JoinSet::new();
        let mut end = SessionEnd::Walked;
        loop {
            while walking.len() < parallel_max && !cancel.is_cancelled() {
                let Some(job) = queue.next(Instant::now()) else { break };
                walking.spawn(self.clone().walk_market(job, cancel.child_token()));
            }
            let has_room = walking.len() < parallel_max && !walking.is_empty();
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
                    queue.defer(job).await;
                    continue;
                }
                Some(Ok((WalkEnd::Parked, job))) => {
                    queue.add(job).await;
                    continue;
                }
                Some(Ok((WalkEnd::Cancelled, _))) => {
                    if matches!(end, SessionEnd::Walked) {
                        end = SessionEnd::Cancelled;
                    }
                    continue;
                }
                Some(Ok((WalkEnd::Failed(failure), _))) => failure,
                Some(Err(_)) => SessionFailure::panicked(),
            };
            cancel.cancel();
            if !matches!(end, SessionEnd::Failed(_)) {
                end = SessionEnd::Failed(failure);
            }
        }
        match end {
            // A stop between two markets finds nobody walking.
            SessionEnd::Walked if cancel.is_cancelled() && !queue.is_empty() => SessionEnd::Cancelled,
            SessionEnd::Walked => queue.end(),
            end => end,
        }
    }

    async fn walk_market(self, job: Arc<MarketJob>, cancel: CancellationToken) -> (WalkEnd, Arc<MarketJob>) {
        let Self { store, source, clock, upstream, reporter, options } = &self;
        let (store, source, clock) = (&**store, &**source, &**clock);
        let walk = MarketWalk { store, source, clock, upstream, reporter, options: *options };
        let end = walk.walk(&job, &cancel).await;
        (end, job)
    }
}

/// Records products that were fetched while the store could not keep them. One after another: they are
/// few, and the walk must find all of them.
async fn record_again(
    store: &dyn Store,
    reporter: &Reporter,
    walk: &Walk,
    not_recorded: Vec<ProductDone>,
) -> Result<(), StoreError> {
    let mut result = Ok(());
    for done in not_recorded {
        let Some(market) = walk.plan.markets().get(done.market) else { continue };
        if result.is_ok() {
            result = store.record(&market.market, &done.product, done.entry.clone()).await;
        }
        let done = Box::new(done);
        let report = if result.is_ok() { Report::ProductDone(done) } else { Report::NotRecorded(done) };
        reporter.report(report).await;
    }
    result
}
