//! Walks the products of one market: one request in flight, the next one begun while the records
//! before it are made durable; and at its end once more those that failed.

mod doubt;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use price_cache_domain::{
    BoxFuture, Entry, MarketPlan, Outcome, Pass, PlanPageKey, ProductId, RunFailureClass, RunId, StoreError,
    Visit,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::walk::activity::Activity;
use crate::walk::product_fetch::ProductFetcher;
use crate::walk::report::{ProductDone, Report, SessionFailure};
use crate::walk::session::{Work, defect};

/// One market to walk.
#[derive(Clone)]
pub(crate) struct MarketJob {
    pub(crate) index: usize,
    pub(crate) plan: MarketPlan,
    pub(crate) run: RunId,
    pub(crate) pass: Pass,
    /// Whether it was deferred because of refused credentials, which happens once.
    pub(crate) was_deferred: bool,
}

/// How a walk ended. Whatever it fetched is on disk, but for what a failed store refused.
#[derive(Debug)]
pub(crate) enum WalkEnd {
    Done,
    Cancelled,
    /// All that was fetched was refused for the credentials; the other markets will show whose fault it is.
    Deferred,
    /// The upstream is unwell; the market is to be probed then.
    Parked(Instant),
    Failed(SessionFailure),
}

impl From<StoreError> for WalkEnd {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A product that was fetched and whose record is on its way to the disk.
struct Undurable {
    done: Box<ProductDone>,
    durable: BoxFuture<'static, Result<(), StoreError>>,
    _permit: OwnedSemaphorePermit,
}

/// Fetches every product of the market that the pass wants.
pub(crate) async fn walk_market(work: &Work, job: &MarketJob, cancel: &CancellationToken) -> WalkEnd {
    work.report(Report::MarketActivity { market: job.index, activity: Activity::Active }).await;
    let undurable_max = work.options.undurable_records_max.get();
    let (records, unacknowledged) = mpsc::channel(undurable_max);
    let visit = Visit::first(job.run, job.pass.number);
    let walker = Walker {
        work,
        job,
        cancel,
        fetcher: ProductFetcher::new(work, job.index, &job.plan.market, visit, cancel),
        window: Arc::new(Semaphore::new(undurable_max)),
        records,
        held: Vec::new(),
        failures_in_a_row: 0,
        refused_in_a_row: 0,
        witness: None,
        is_probe: work.parking.parked(&job.plan.market).is_some(),
        second_looks: 0,
        last_completed: Instant::now(),
    };
    // A panic ends the walk but not the wait for what was fetched before it.
    let walk = async {
        let walked = AssertUnwindSafe(walker.walk()).catch_unwind().await;
        // Nothing more comes that the last records could be made durable with.
        work.store.flush();
        walked.unwrap_or_else(|_| Err(WalkEnd::Failed(defect())))
    };
    let (walked, acknowledged) = tokio::join!(walk, acknowledge(work, unacknowledged, cancel));
    match (acknowledged, walked) {
        (Err(error), _) => error.into(),
        (Ok(()), Ok(())) => {
            work.parking.take_up(&job.plan.market);
            work.report(Report::MarketDone { market: job.index }).await;
            WalkEnd::Done
        }
        (Ok(()), Err(end)) => end,
    }
}

/// Reports each product once its record is durable, in order. A failed record ends the walk, and its
/// product is handed back to be recorded later.
async fn acknowledge(
    work: &Work,
    mut records: mpsc::Receiver<Undurable>,
    cancel: &CancellationToken,
) -> Result<(), StoreError> {
    let mut result = Ok(());
    while let Some(Undurable { done, durable, _permit }) = records.recv().await {
        match durable.await {
            Ok(()) => work.report(Report::ProductDone(done)).await,
            Err(error) => {
                cancel.cancel();
                work.report(Report::NotRecorded(done)).await;
                result = Err(error);
            }
        }
    }
    result
}

struct Walker<'a> {
    work: &'a Work,
    job: &'a MarketJob,
    cancel: &'a CancellationToken,
    fetcher: ProductFetcher<'a>,
    window: Arc<Semaphore>,
    records: mpsc::Sender<Undurable>,
    /// Products whose failure may not be their own, kept back until another answer shows whose it is; fewer
    /// than park the market or blame the credentials.
    held: Vec<Fetched>,
    /// Failures of an unwell upstream since the last answer of another kind.
    failures_in_a_row: u32,
    /// Refusals of our credentials since the last answer of another kind.
    refused_in_a_row: u32,
    /// A product that came in this run, to be asked for again where it is in doubt who is at fault.
    witness: Option<ProductId>,
    /// Whether the market is parked and the next request is to find out whether it can be taken up again.
    is_probe: bool,
    /// Failed products that the walk came by and that are to have a second look.
    second_looks: u64,
    last_completed: Instant,
}

/// A product with its new entry, not recorded yet.
struct Fetched {
    product: ProductId,
    replaced: Option<Outcome>,
    entry: Entry,
    took: Duration,
}

/// Which products are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Those that the pass wants.
    First,
    /// Those that failed and had no second look yet.
    Second,
}

impl Walker<'_> {
    async fn walk(mut self) -> Result<(), WalkEnd> {
        self.visit(Round::First).await?;
        if self.work.options.retry.second_pass && self.second_looks > 0 {
            // What failed is told by the records.
            self.settled().await?;
            self.fetcher.visit = Visit::second(self.job.run, self.job.pass.number);
            self.visit(Round::Second).await?;
        }
        Ok(())
    }

    async fn visit(&mut self, round: Round) -> Result<(), WalkEnd> {
        let (work, job) = (self.work, self.job);
        let market = &job.plan.market;
        for page in 0..job.plan.pages {
            let key = PlanPageKey { run: job.run, list: job.plan.list, page };
            let products = work.store.plan_page(key).await?.ok_or_else(|| missing_page(key))?;
            let entries = work.store.entries_of(market, &products).await?;
            let mut wanted = self.wanted(round, products.into_iter().zip(entries));
            if self.is_probe && !wanted.is_empty() {
                let probes_failed = work.parking.probes_failed(market);
                // What came before tells best. By turns with the others, should it be gone for good.
                if self.witness.is_some() && probes_failed.is_multiple_of(2) {
                    self.probe_with_witness().await?;
                } else if probes_failed > 0 {
                    // A product that can never be had must not keep the market parked.
                    wanted.swap(0, fastrand::usize(..wanted.len()));
                }
            }
            while let Some((product, previous)) = wanted.pop_front() {
                // Before the request, so that a kill never costs more requests than the window has room for.
                let permit = self.permit().await?;
                let fetched = if self.is_probe {
                    self.fetcher.probe(&product, previous.as_ref()).await
                } else {
                    self.fetcher.fetch(&product, previous.as_ref()).await
                };
                let entry = fetched.ok_or(WalkEnd::Cancelled)?;
                let failed_again = round == Round::Second && !entry.outcome.is_success();
                let fetched = self.completed(product, previous, entry);
                self.settle(fetched, permit).await?;
                // A second look that helps is free; one that does not is a retry like any other.
                if failed_again && !work.budget.spend() {
                    tracing::info!(%market, "too much fails again; the second pass is given up");
                    return self.settle_rest().await;
                }
            }
        }
        self.settle_rest().await
    }

    /// The products of a page that are to be visited; takes note of the others.
    fn wanted(
        &mut self,
        round: Round,
        page: impl Iterator<Item = (ProductId, Option<Entry>)>,
    ) -> VecDeque<(ProductId, Option<Entry>)> {
        let MarketJob { run, pass, plan, .. } = self.job;
        let mut wanted = VecDeque::new();
        let mut witnesses = 0;
        for (product, previous) in page {
            let latest = previous.as_ref().map(|entry| &entry.outcome);
            let has_second_look = pass.wants_second_look(*run, latest);
            let is_wanted = match round {
                Round::First => pass.wants(*run, &plan.market, latest),
                Round::Second => has_second_look,
            };
            if is_wanted {
                wanted.push_back((product, previous));
            } else if has_second_look {
                self.second_looks += 1;
            } else if latest.is_some_and(|outcome| outcome.run == *run && outcome.is_success()) {
                // Any of them, so that one that is gone for good is not asked for again and again.
                witnesses += 1;
                if fastrand::u64(..witnesses) == 0 {
                    self.witness = Some(product);
                }
            }
        }
        wanted
    }

    fn completed(&mut self, product: ProductId, previous: Option<Entry>, entry: Entry) -> Fetched {
        let now = Instant::now();
        let took = now.duration_since(self.last_completed);
        self.last_completed = now;
        let replaced = previous.map(|entry| entry.outcome).filter(|outcome| outcome.run == self.job.run);
        Fetched { product, replaced, entry, took }
    }

    /// A place in the window of records that are not durable yet. When half of the window is taken the store is asked to
    /// hurry, so that a fast walk need not stop for the disk; when all of it is, the walk waits for the disk.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, WalkEnd> {
        let (free, all) = (self.window.available_permits(), self.work.options.undurable_records_max.get());
        if free == all / 2 || free == 0 {
            self.work.store.flush();
        }
        Arc::clone(&self.window).acquire_owned().await.map_err(|_| WalkEnd::Cancelled)
    }

    /// Returns when every record is durable and counted.
    async fn settled(&self) -> Result<(), WalkEnd> {
        self.work.store.flush();
        let all = u32::try_from(self.work.options.undurable_records_max.get()).unwrap_or(u32::MAX);
        let _whole_window = self.window.acquire_many(all).await.map_err(|_| WalkEnd::Cancelled)?;
        // A record that was refused ends the walk.
        if self.cancel.is_cancelled() { Err(WalkEnd::Cancelled) } else { Ok(()) }
    }

    /// Queues the record.
    async fn record(&mut self, fetched: Fetched, permit: OwnedSemaphorePermit) -> Result<(), WalkEnd> {
        let Fetched { product, replaced, entry, took } = fetched;
        if entry.outcome.is_success() {
            self.witness = Some(product.clone());
        } else if self.job.pass.wants_second_look(self.job.run, Some(&entry.outcome)) {
            self.second_looks += 1;
        }
        let durable = self.work.store.record(&self.job.plan.market, &product, entry.clone());
        let done = Box::new(ProductDone { market: self.job.index, product, replaced, entry, took });
        let undurable = Undurable { done, durable, _permit: permit };
        self.records.send(undurable).await.map_err(|_| WalkEnd::Cancelled)
    }
}

fn missing_page(key: PlanPageKey) -> WalkEnd {
    let PlanPageKey { run, list, page } = key;
    WalkEnd::Failed(SessionFailure {
        class: RunFailureClass::Storage,
        message: format!(
            "page {page} of product list {list} of {run} is not in the store; look with the doctor command, \
             or reset to make a new plan (prices can be kept)"
        ),
        retryable: false,
    })
}
