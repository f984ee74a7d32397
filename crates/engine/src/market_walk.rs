//! Walks the products of one market: one request in flight, the next one begun while the records
//! before it are made durable.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use price_cache_domain::{
    BoxFuture, Entry, Failure, FailureClass, MarketPlan, Outcome, Pass, PlanPageKey, ProductId,
    RunFailureClass, RunId, StoreError,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::core::{Input, ProductDone, SessionFailure};
use crate::parking::ParkReason;
use crate::product_fetch::ProductFetcher;
use crate::session::{Work, defect};
use crate::snapshot::Activity;

/// So many products in a row refused with 401 or 403 mean that the credentials are wrong, not the
/// products.
const CREDENTIALS_REFUSED_MAX: usize = 5;

/// One market to walk.
pub(crate) struct MarketJob {
    pub(crate) index: usize,
    pub(crate) plan: MarketPlan,
    pub(crate) run: RunId,
    pub(crate) pass: Pass,
}

/// How a walk ended. Whatever it fetched is on disk, but for what a failed store refused.
#[derive(Debug)]
pub(crate) enum WalkEnd {
    Done,
    Cancelled,
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
    work.report(Input::MarketActivity { market: job.index, activity: Activity::Active }).await;
    let undurable_max = work.options.undurable_records_max.get();
    let (records, unacknowledged) = mpsc::channel(undurable_max);
    let walker = Walker {
        work,
        job,
        cancel,
        window: Arc::new(Semaphore::new(undurable_max)),
        records,
        suspects: Vec::new(),
        unwell: Vec::new(),
        failures_in_a_row: 0,
        is_probe: work.parking.parked(&job.plan.market).is_some(),
        last_completed: Instant::now(),
    };
    // A panic ends the walk but not the wait for what was fetched before it.
    let walk = async {
        match AssertUnwindSafe(walker.walk()).catch_unwind().await {
            Ok(walked) => walked,
            Err(_) => Err(WalkEnd::Failed(defect())),
        }
    };
    let (walked, acknowledged) = tokio::join!(walk, acknowledge(work, unacknowledged, cancel));
    match (acknowledged, walked) {
        (Err(error), _) => error.into(),
        (Ok(()), Ok(())) => {
            work.parking.forget(&job.plan.market);
            work.report(Input::MarketDone { market: job.index }).await;
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
            Ok(()) => work.report(Input::ProductDone(done)).await,
            Err(error) => {
                cancel.cancel();
                work.report(Input::NotRecorded(done)).await;
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
    window: Arc<Semaphore>,
    records: mpsc::Sender<Undurable>,
    /// Products refused for the credentials, kept back until another answer shows whose fault it is.
    suspects: Vec<Fetched>,
    /// Products that failed because the upstream may be unwell, kept back until another answer shows that
    /// it is not; fewer than park the market.
    unwell: Vec<Fetched>,
    /// Such failures since the last answer of another kind.
    failures_in_a_row: u32,
    /// Whether the market is parked and the next request is to find out whether it can be taken up again.
    is_probe: bool,
    last_completed: Instant,
}

/// A product with its new entry, not recorded yet.
struct Fetched {
    product: ProductId,
    replaced: Option<Outcome>,
    entry: Entry,
    took: Duration,
}

impl Walker<'_> {
    async fn walk(mut self) -> Result<(), WalkEnd> {
        let (work, job) = (self.work, self.job);
        let market = &job.plan.market;
        let mut fetcher =
            ProductFetcher::new(work, job.index, market, (job.run, job.pass.number), self.cancel);
        for page in 0..job.plan.pages {
            let key = PlanPageKey { run: job.run, list: job.plan.list, page };
            let products = work.store.plan_page(key).await?.ok_or_else(|| missing_page(key))?;
            let entries = work.store.entries_of(market, &products).await?;
            let is_wanted = |(_, previous): &(ProductId, Option<Entry>)| {
                let latest = previous.as_ref().map(|entry| &entry.outcome);
                job.pass.wants(job.run, market, latest)
            };
            let mut wanted: VecDeque<_> = products.into_iter().zip(entries).filter(is_wanted).collect();
            // A product that can never be had must not keep the market parked.
            if self.is_probe && !wanted.is_empty() && work.parking.probes_failed(market) > 0 {
                wanted.swap(0, fastrand::usize(..wanted.len()));
            }
            while let Some((product, previous)) = wanted.pop_front() {
                // Before the request, so that a kill never costs more requests than the window has room for.
                let permit = self.permit().await?;
                let fetched = if self.is_probe {
                    fetcher.probe(&product, previous.as_ref()).await
                } else {
                    fetcher.fetch(&product, previous.as_ref()).await
                };
                let entry = fetched.ok_or(WalkEnd::Cancelled)?;
                let now = Instant::now();
                let took = now.duration_since(self.last_completed);
                self.last_completed = now;
                let replaced = previous.map(|entry| entry.outcome).filter(|outcome| outcome.run == job.run);
                self.settle(Fetched { product, replaced, entry, took }, permit).await?;
            }
        }
        self.record_suspects().await
    }

    /// A place in the window of records that are not durable yet.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, WalkEnd> {
        Arc::clone(&self.window).acquire_owned().await.map_err(|_| WalkEnd::Cancelled)
    }

    /// Records a product, unless it is one more that was refused for the credentials or failed because the
    /// upstream may be unwell.
    async fn settle(&mut self, fetched: Fetched, permit: OwnedSemaphorePermit) -> Result<(), WalkEnd> {
        let failure = fetched.entry.outcome.attempts.failure();
        if let Some(class) = failure.map(Failure::class).filter(|class| self.work.parking.suspects(*class)) {
            return self.hold_back(fetched, class, permit).await;
        }
        let Some(refused) = failure.filter(|failure| failure.class() == FailureClass::Credentials) else {
            self.upstream_is_well();
            if self.suspects.is_empty() && self.unwell.is_empty() {
                return self.record(fetched, permit).await;
            }
            // The window may have one place only.
            drop(permit);
            self.record_suspects().await?;
            let permit = self.permit().await?;
            return self.record(fetched, permit).await;
        };
        if self.suspects.len() + 1 >= CREDENTIALS_REFUSED_MAX {
            let message = format!(
                "the upstream refuses our credentials ({}); check the API key in the configuration's \
                 headers and the environment, then start again",
                refused.message()
            );
            let failure = SessionFailure { class: RunFailureClass::Credentials, message, retryable: false };
            return Err(WalkEnd::Failed(failure));
        }
        self.suspects.push(fetched);
        Ok(())
    }

    /// An answer of another kind came.
    fn upstream_is_well(&mut self) {
        let (work, job) = (self.work, self.job);
        work.parking.answered();
        self.failures_in_a_row = 0;
        if std::mem::take(&mut self.is_probe) {
            tracing::info!(market = %job.plan.market, "the upstream is well again");
            work.parking.take_up(&job.plan.market);
        }
    }

    /// Keeps a product back whose failure may not be its own, and parks the market after enough of them.
    async fn hold_back(
        &mut self,
        fetched: Fetched,
        class: FailureClass,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), WalkEnd> {
        let (parking, market) = (&self.work.parking, &self.job.plan.market);
        let status_code = fetched.entry.outcome.attempts.kept().last().and_then(|last| last.status_code);
        if self.is_probe {
            let failures = parking.parked(market).map_or(1, |(reason, _)| reason.failures);
            let reason = ParkReason { failures, class, status_code };
            let until = parking.probe_failed(market, reason, fastrand::f64());
            return Err(WalkEnd::Parked(until));
        }
        self.failures_in_a_row += 1;
        if parking.was_held_enough(market, &fetched.product) {
            self.record(fetched, permit).await?;
        } else {
            drop(permit);
            self.unwell.push(fetched);
        }
        let Some(failures) = parking.failed(self.failures_in_a_row) else { return Ok(()) };
        let reason = ParkReason { failures, class, status_code };
        let held = self.unwell.drain(..).map(|fetched| fetched.product);
        let until = parking.park(market, reason, held, fastrand::f64());
        tracing::warn!(%market, %reason, "the upstream is unwell; the market is parked");
        Err(WalkEnd::Parked(until))
    }

    async fn record_suspects(&mut self) -> Result<(), WalkEnd> {
        let unwell = std::mem::take(&mut self.unwell);
        for suspect in std::mem::take(&mut self.suspects).into_iter().chain(unwell) {
            let permit = self.permit().await?;
            self.record(suspect, permit).await?;
        }
        Ok(())
    }

    /// Queues the record.
    async fn record(&mut self, fetched: Fetched, permit: OwnedSemaphorePermit) -> Result<(), WalkEnd> {
        let Fetched { product, replaced, entry, took } = fetched;
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
