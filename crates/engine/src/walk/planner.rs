//! Makes the plan of a run: lists the markets and their products, drops duplicates, and stores the
//! products in pages, so that a resumed run never lists again.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;

use price_cache_domain::{
    FailureClass, Fault, MarketId, MarketPlan, PLAN_PAGE_PRODUCTS_MAX, Plan, PlanPageKey, ProductId,
    ProductLists, RunFailureClass, RunId, SkippedItems,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::upstream::retry::Tries;
use crate::walk::report::{Report, SessionEnd, SessionFailure};
use crate::walk::session::Work;

/// So many pages of a product list in a row without a product that was not there before mean that the
/// pages go in a circle.
const PAGES_WITHOUT_NEWS_MAX: u32 = 20;

/// Lists everything. Requests go one after another; each is retried like one for a price.
pub(crate) async fn make_plan(work: &Work, run: RunId, cancel: &CancellationToken) -> SessionEnd {
    let planner = Planner { work, run, cancel };
    planner.plan().await.map_or_else(|end| end, SessionEnd::Planned)
}

struct Planner<'a> {
    work: &'a Work,
    run: RunId,
    cancel: &'a CancellationToken,
}

impl Planner<'_> {
    async fn plan(&self) -> Result<Plan, SessionEnd> {
        self.work.store.drop_plans_except(Some(self.run)).await.map_err(failed)?;
        let markets = self.markets().await?;
        self.work.report(Report::MarketsListed(markets.clone())).await;
        let shared = self.work.source.product_lists() == ProductLists::Shared;
        let mut plans: Vec<MarketPlan> = Vec::with_capacity(markets.len());
        for (index, market) in markets.into_iter().enumerate() {
            let plan = match plans.first() {
                Some(first) if shared => MarketPlan { market, ..first.clone() },
                _ => {
                    let list = u32::try_from(index).unwrap_or(u32::MAX);
                    let listed = self.list(&market, list).await?;
                    MarketPlan { market, list, pages: listed.pages, total: listed.total }
                }
            };
            if plan.total == 0 {
                tracing::warn!(market = %plan.market, "the market has no products");
            }
            self.work.report(Report::MarketPlanned { plan: plan.clone(), index }).await;
            plans.push(plan);
        }
        Plan::new(plans).map_err(|error| failed(listing_failure(error.to_string(), false)))
    }

    async fn markets(&self) -> Result<Vec<MarketId>, SessionEnd> {
        let mut markets = self.ask("the markets", None, || self.work.source.markets()).await?;
        let listed = markets.len();
        let mut seen = HashSet::new();
        markets.retain(|market| seen.insert(market.clone()));
        if markets.len() < listed {
            tracing::warn!(
                duplicates = listed - markets.len(),
                "the market list names markets more than once"
            );
        }
        if markets.is_empty() {
            let message = "the market list is empty; check source.markets in the configuration, and what its URL \
                           answers with the probe command";
            return Err(failed(listing_failure(message.to_owned(), false)));
        }
        Ok(markets)
    }

    /// Lists the products of a market and stores them in pages.
    async fn list(&self, market: &MarketId, list: u32) -> Result<Listed, SessionEnd> {
        let mut listing = Listing::new(self.work, self.run, list);
        let mut cursor = None;
        let mut pages_without_news = 0;
        let (mut skipped, mut announced) = (SkippedItems::default(), None);
        loop {
            let what = format!("the products of market {market:?}");
            let page =
                self.ask(&what, Some(market), || self.work.source.products(market, cursor.as_ref())).await?;
            let total_before = listing.total();
            listing.add(page.products).await?;
            skipped.count += page.skipped.count;
            skipped.example = skipped.example.or(page.skipped.example);
            announced = announced.max(page.announced);
            pages_without_news = if listing.total() > total_before { 0 } else { pages_without_news + 1 };
            match page.next {
                Some(next) if pages_without_news >= PAGES_WITHOUT_NEWS_MAX => {
                    let message = format!(
                        "{what} have no end: {PAGES_WITHOUT_NEWS_MAX} pages in a row, the last before {:?}, \
                         brought nothing new; check source.products.pagination",
                        next.0
                    );
                    return Err(failed(listing_failure(message, false)));
                }
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let listed = listing.finish().await?;
        if skipped.count > 0 {
            let example = skipped.example.unwrap_or_default();
            tracing::warn!(%market, skipped = skipped.count, example, "items of the product list are no products");
        }
        if let Some(announced) =
            announced.filter(|announced| *announced > listed.total + skipped.count + listed.duplicates)
        {
            tracing::warn!(%market, listed = listed.total, announced, "the product list ends before what it announced");
        }
        if listed.duplicates > 0 {
            tracing::warn!(%market, duplicates = listed.duplicates, "the product list names products more than once");
        }
        Ok(listed)
    }

    /// One listing request with its retries, each in its turn; ends early when the run stops.
    async fn ask<T, F>(
        &self,
        what: &str,
        market: Option<&MarketId>,
        request: impl Fn() -> F,
    ) -> Result<T, SessionEnd>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut attempts = 0;
        let mut tries = Tries::default();
        let mut limited_since = None;
        loop {
            let exchange = async {
                for (until, _) in self.work.pacing.waits(market, None) {
                    sleep_until(until).await;
                }
                let begun = Instant::now();
                let result = request().await;
                self.work.pacing.answered(market, begun, result.as_ref().err());
                result
            };
            let result = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(SessionEnd::Cancelled),
                result = exchange => result,
            };
            let fault = match result {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            attempts += 1;
            tries = tries.with(&fault, &mut limited_since);
            let Some((wait, _)) = self.work.retry.wait_after(&fault, tries, fastrand::f64()) else {
                return Err(failed(refused_listing(what, attempts, &fault)));
            };
            tracing::warn!(%fault, attempts, wait_ms = wait.as_millis(), "could not list {what}; trying again");
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(SessionEnd::Cancelled),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

fn failed(failure: impl Into<SessionFailure>) -> SessionEnd {
    SessionEnd::Failed(failure.into())
}

const fn listing_failure(message: String, retryable: bool) -> SessionFailure {
    SessionFailure { class: RunFailureClass::Listing, message, retryable }
}

fn refused_listing(what: &str, attempts: u32, fault: &Fault) -> SessionFailure {
    let class = fault.failure.class();
    let (run_class, advice, retryable) = match class {
        FailureClass::Credentials => {
            (RunFailureClass::Credentials, "check the API key in the headers and the environment", false)
        }
        FailureClass::Transport | FailureClass::Timeout => {
            (RunFailureClass::Listing, "check source.base_url and whether the API is up", true)
        }
        FailureClass::ServerError | FailureClass::RateLimited | FailureClass::Cancelled => {
            (RunFailureClass::Listing, "the API is unwell; the run tries again by itself", true)
        }
        FailureClass::NotFound | FailureClass::Rejected | FailureClass::InvalidAnswer => (
            RunFailureClass::Listing,
            "check source.markets and source.products with the probe command",
            false,
        ),
    };
    let times = if attempts == 1 { String::new() } else { format!(" after {attempts} attempts") };
    let message = format!("could not list {what}{times}: {}; {advice}", fault.failure);
    SessionFailure { class: run_class, message, retryable }
}

/// What listing a market came to.
struct Listed {
    pages: u32,
    total: u64,
    duplicates: u64,
}

/// Cuts a stream of product ids into stored pages and drops those that came before.
struct Listing<'a> {
    work: &'a Work,
    run: RunId,
    list: u32,
    /// Hashes of the ids so far, 8 bytes a product, for this one list and only while it is made. Equal
    /// hashes are only a suspicion, which the stored pages confirm or not.
    seen: HashSet<u64>,
    hasher: RandomState,
    open: Vec<ProductId>,
    listed: Listed,
}

impl<'a> Listing<'a> {
    fn new(work: &'a Work, run: RunId, list: u32) -> Self {
        Self {
            work,
            run,
            list,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            open: Vec::new(),
            listed: Listed { pages: 0, total: 0, duplicates: 0 },
        }
    }

    /// Different products so far.
    fn total(&self) -> u64 {
        self.listed.total + self.open.len() as u64
    }

    async fn add(&mut self, products: Vec<ProductId>) -> Result<(), SessionEnd> {
        let mut suspects: HashSet<ProductId> = HashSet::new();
        let mut fresh = Vec::with_capacity(products.len());
        for product in products {
            if self.seen.insert(self.hasher.hash_one(&product)) {
                fresh.push((product, false));
            } else {
                suspects.insert(product.clone());
                fresh.push((product, true));
            }
        }
        let mut known = if suspects.is_empty() { HashSet::new() } else { self.confirmed(&suspects).await? };
        for (product, suspect) in fresh {
            if !suspect {
                if suspects.contains(&product) {
                    known.insert(product.clone());
                }
                self.open.push(product);
            } else if known.insert(product.clone()) {
                self.open.push(product);
            } else {
                self.listed.duplicates += 1;
            }
        }
        while self.open.len() >= PLAN_PAGE_PRODUCTS_MAX {
            let rest = self.open.split_off(PLAN_PAGE_PRODUCTS_MAX);
            self.store_page(rest).await?;
        }
        Ok(())
    }

    /// Which of the suspects are in the list already.
    async fn confirmed(&self, suspects: &HashSet<ProductId>) -> Result<HashSet<ProductId>, SessionEnd> {
        let mut known: HashSet<_> =
            self.open.iter().filter(|product| suspects.contains(*product)).cloned().collect();
        for page in 0..self.listed.pages {
            let key = PlanPageKey { run: self.run, list: self.list, page };
            let stored = self.work.store.plan_page(key).await.map_err(failed)?.unwrap_or_default();
            known.extend(stored.into_iter().filter(|product| suspects.contains(product)));
        }
        Ok(known)
    }

    async fn store_page(&mut self, rest: Vec<ProductId>) -> Result<(), SessionEnd> {
        let products = std::mem::replace(&mut self.open, rest);
        let key = PlanPageKey { run: self.run, list: self.list, page: self.listed.pages };
        self.listed.total += products.len() as u64;
        self.work.store.save_plan_page(key, products).await.map_err(failed)?;
        self.listed.pages += 1;
        Ok(())
    }

    async fn finish(mut self) -> Result<Listed, SessionEnd> {
        if !self.open.is_empty() {
            self.store_page(Vec::new()).await?;
        }
        Ok(self.listed)
    }
}
