//! Walks the products of one market: one request in flight, the next one begun while the records before it are made
//! durable; and at its end once more those that failed.

mod attribution;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use price_cache_domain::{
    BoxFuture, Clock, Entry, MarketId, Outcome, PlanPageKey, PriceSource, ProductId, RunFailureClass, Store,
    StoreError, Visit,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::upstream::decision::Next;
use crate::upstream::machine::Entrance;
use crate::upstream::observation::RequestKind;
use crate::walk::activity::Activity;
use crate::walk::market_job::{MarketJob, WalkEnd};
use crate::walk::options::WalkOptions;
use crate::walk::product_fetch::{ProductFetcher, Wanted};
use crate::walk::report::{ProductDone, Report, SessionFailure};
use crate::walk::reporter::Reporter;
use crate::walk::requester::Requester;
use crate::walk::upstream_access::UpstreamAccess;

/// A product that was fetched and whose record is not durable yet.
struct Unsynced {
    done: Box<ProductDone>,
    durable: BoxFuture<'static, Result<(), StoreError>>,
    _permit: OwnedSemaphorePermit,
}

/// Walks markets: what that takes.
#[derive(Clone, Copy)]
pub(crate) struct MarketWalk<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) source: &'a dyn PriceSource,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) upstream: &'a UpstreamAccess,
    pub(crate) reporter: &'a Reporter,
    pub(crate) options: WalkOptions,
}

impl MarketWalk<'_> {
    /// Fetches every product of the market that the pass wants.
    pub(crate) async fn walk(self, job: &MarketJob, cancel: &CancellationToken) -> WalkEnd {
        let Self { store, source, clock, upstream, reporter, options } = self;
        let market = &job.plan.market;
        reporter.activity(job.index, Activity::Active).await;
        let unsynced_max = options.max_unsynced_writes;
        let (records, unacknowledged) = mpsc::channel(unsynced_max);
        let requester = Requester { upstream, clock, reporter, cancel };
        let visit = Visit::first(job.run, job.pass.number);
        let Entrance { is_half_open, canaries_failed } = upstream.with(|machine, _| machine.enter(market));
        let walker = Walker {
            store,
            upstream,
            job,
            market,
            cancel,
            fetcher: ProductFetcher { source, requester, market, market_index: job.index, visit },
            window: Arc::new(Semaphore::new(unsynced_max)),
            unsynced_max,
            records,
            held: Vec::new(),
            canary: None,
            is_half_open,
            canaries_failed,
            retries_at_end: 0,
            last_completed: Instant::now(),
        };
        // A panic ends the walk but not the wait for what was fetched before it.
        let walk = async {
            let walked = AssertUnwindSafe(walker.walk(options.end_of_market_retry)).catch_unwind().await;
            // Nothing more comes that the last records could be made durable with.
            store.flush();
            walked.unwrap_or_else(|_| Err(WalkEnd::Failed(SessionFailure::panicked())))
        };
        let (walked, acknowledged) = tokio::join!(walk, acknowledge(reporter, unacknowledged, cancel));
        match (acknowledged, walked) {
            (Err(error), _) => error.into(),
            (Ok(()), Ok(())) => {
                upstream.with(|machine, _| machine.leave(market));
                reporter.report(Report::MarketDone { market: job.index }).await;
                WalkEnd::Done
            }
            (Ok(()), Err(end)) => end,
        }
    }
}

/// Reports each product once its record is durable, in order. A failed record ends the walk, and its
/// product is handed back to be recorded later.
async fn acknowledge(
    reporter: &Reporter,
    mut records: mpsc::Receiver<Unsynced>,
    cancel: &CancellationToken,
) -> Result<(), StoreError> {
    let mut result = Ok(());
    while let Some(Unsynced { done, durable, _permit }) = records.recv().await {
        match durable.await {
            Ok(()) => reporter.report(Report::ProductDone(done)).await,
            Err(error) => {
                cancel.cancel();
                reporter.report(Report::NotRecorded(done)).await;
                result = Err(error);
            }
        }
    }
    result
}

struct Walker<'a> {
    store: &'a dyn Store,
    upstream: &'a UpstreamAccess,
    job: &'a MarketJob,
    market: &'a MarketId,
    cancel: &'a CancellationToken,
    fetcher: ProductFetcher<'a>,
    window: Arc<Semaphore>,
    unsynced_max: usize,
    records: mpsc::Sender<Unsynced>,
    /// Products whose failure may not be their own, held back until another answer shows whose it is; fewer
    /// than park the market or mean wrong credentials.
    held: Vec<Fetched>,
    /// A product that succeeded in this run.
    canary: Option<ProductId>,
    /// Whether the market is parked and the next request finds out whether it can be walked again.
    is_half_open: bool,
    /// Canary requests that failed since the market was parked.
    canaries_failed: u32,
    /// Failed products so far that are to be retried at the end of the market.
    retries_at_end: u64,
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
    /// Those that failed and were not retried at the end of the market yet.
    EndOfMarket,
}

impl Walker<'_> {
    async fn walk(mut self, end_of_market_retry: bool) -> Result<(), WalkEnd> {
        self.visit(Round::First).await?;
        if end_of_market_retry && self.retries_at_end > 0 {
            // The records say what failed.
            self.settled().await?;
            self.fetcher.visit = Visit::second(self.job.run, self.job.pass.number);
            self.visit(Round::EndOfMarket).await?;
        }
        Ok(())
    }

    async fn visit(&mut self, round: Round) -> Result<(), WalkEnd> {
        let job = self.job;
        for page in 0..job.plan.pages {
            let key = PlanPageKey { run: job.run, list: job.plan.list, page };
            let products = self.store.plan_page(key).await?.ok_or_else(|| missing_page(key))?;
            let entries = self.store.entries_of(self.market, &products).await?;
            let mut wanted = self.wanted(round, products.into_iter().zip(entries));
            self.probe(&mut wanted).await?;
            while let Some((product, previous)) = wanted.pop_front() {
                // Before the request, so that a kill never costs more requests than the window has room for.
                let permit = self.permit().await?;
                let fetched = self.fetch(&product, previous.as_ref(), RequestKind::Price).await;
                let (entry, next) = fetched.ok_or(WalkEnd::Cancelled)?;
                let failed_again = round == Round::EndOfMarket && !entry.outcome.is_success();
                let fetched = self.completed(product, previous, entry);
                self.settle(fetched, next, permit).await?;
                // A retry at the end that helps is free; one that does not is paid for like any other.
                if failed_again && !self.upstream.with(|machine, _| machine.spend_retry()) {
                    tracing::info!(market = %self.market, "the retry budget is empty; the end-of-market retry ends");
                    return self.settle_rest().await;
                }
            }
        }
        self.settle_rest().await
    }

    /// Chooses the canary request of a parked market: a product that succeeded before tells best. It takes turns with
    /// the others, in case it is gone for good; one that can never be had must not keep the market parked.
    async fn probe(&mut self, wanted: &mut VecDeque<(ProductId, Option<Entry>)>) -> Result<(), WalkEnd> {
        if !self.is_half_open || wanted.is_empty() {
            return Ok(());
        }
        if self.canary.is_some() && self.canaries_failed.is_multiple_of(2) {
            return self.send_canary().await;
        }
        if self.canaries_failed > 0 {
            wanted.swap(0, self.upstream.pick(wanted.len()));
        }
        Ok(())
    }

    async fn fetch(
        &self,
        product: &ProductId,
        previous: Option<&Entry>,
        kind: RequestKind,
    ) -> Option<(Entry, Next)> {
        let has_canary = self.canary.is_some();
        self.fetcher.fetch(Wanted { product, previous, kind, has_canary }).await
    }

    /// Returns the products of a page that are to be visited, and counts the others.
    fn wanted(
        &mut self,
        round: Round,
        page: impl Iterator<Item = (ProductId, Option<Entry>)>,
    ) -> VecDeque<(ProductId, Option<Entry>)> {
        let MarketJob { run, pass, plan, .. } = self.job;
        let mut wanted = VecDeque::new();
        let mut canaries = 0;
        for (product, previous) in page {
            let latest = previous.as_ref().map(|entry| &entry.outcome);
            let is_for_end = pass.wants_end_of_market_retry(*run, latest);
            let is_wanted = match round {
                Round::First => pass.wants(*run, &plan.market, latest),
                Round::EndOfMarket => is_for_end,
            };
            if is_wanted {
                wanted.push_back((product, previous));
            } else if is_for_end {
                self.retries_at_end += 1;
            } else if latest.is_some_and(|outcome| outcome.run == *run && outcome.is_success()) {
                // Any of them, so that one that is gone for good is not asked for again and again.
                canaries += 1;
                if self.upstream.pick(canaries) == 0 {
                    self.canary = Some(product);
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

    /// Takes a place in the window of unsynced writes. When half of the window is taken the store is asked to
    /// hurry, so that a fast walk need not stop for the disk; when all of it is, the walk waits for the disk.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, WalkEnd> {
        let (free, all) = (self.window.available_permits(), self.unsynced_max);
        if free == all / 2 || free == 0 {
            self.store.flush();
        }
        Arc::clone(&self.window).acquire_owned().await.map_err(|_| WalkEnd::Cancelled)
    }

    /// Returns when every record is durable and counted.
    async fn settled(&self) -> Result<(), WalkEnd> {
        self.store.flush();
        let all = u32::try_from(self.unsynced_max).unwrap_or(u32::MAX);
        let _whole_window = self.window.acquire_many(all).await.map_err(|_| WalkEnd::Cancelled)?;
        // A record that was refused ends the walk.
        if self.cancel.is_cancelled() { Err(WalkEnd::Cancelled) } else { Ok(()) }
    }

    /// Queues the record.
    async fn record(&mut self, fetched: Fetched, permit: OwnedSemaphorePermit) -> Result<(), WalkEnd> {
        let Fetched { product, replaced, entry, took } = fetched;
        if entry.outcome.is_success() {
            self.canary = Some(product.clone());
        } else if self.job.pass.wants_end_of_market_retry(self.job.run, Some(&entry.outcome)) {
            self.retries_at_end += 1;
        }
        let durable = self.store.record(self.market, &product, entry.clone());
        let done = Box::new(ProductDone { market: self.job.index, product, replaced, entry, took });
        let unsynced = Unsynced { done, durable, _permit: permit };
        self.records.send(unsynced).await.map_err(|_| WalkEnd::Cancelled)
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
