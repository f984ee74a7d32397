//! Makes the plan of a run: lists the markets and their products, drops duplicates, and stores the
//! products in pages, so that a resumed run never lists again.

mod listing;

use std::collections::HashSet;
use std::future::Future;

use price_cache_domain::{
    FailureClass, Fault, MarketId, MarketPlan, Plan, PriceSource, ProductLists, RunFailureClass, RunId,
    SkippedItems, Store,
};

use crate::upstream::observation::RequestKind;
use crate::walk::planner::listing::{Listed, Listing};
use crate::walk::report::{Report, SessionEnd, SessionFailure};
use crate::walk::requester::{GivenUp, Requester, Subject};

/// Pages of a product list in a row without a new product that mean that the pages go in a circle.
const PAGES_WITHOUT_NEWS_MAX: u32 = 20;

/// Makes the plan of one run. Requests go one after another; each is retried like one for a price.
pub(crate) struct Planner<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) source: &'a dyn PriceSource,
    pub(crate) requester: Requester<'a>,
    pub(crate) run: RunId,
}

impl Planner<'_> {
    /// Lists everything and returns how that ended.
    pub(crate) async fn make_plan(&self) -> SessionEnd {
        self.plan().await.map_or_else(|end| end, SessionEnd::Planned)
    }

    async fn plan(&self) -> Result<Plan, SessionEnd> {
        self.store.drop_plans_except(Some(self.run)).await.map_err(failed)?;
        let markets = self.markets().await?;
        self.requester.reporter.report(Report::MarketsListed(markets.clone())).await;
        let shared = self.source.product_lists() == ProductLists::Shared;
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
            self.requester.reporter.report(Report::MarketPlanned { plan: plan.clone(), index }).await;
            plans.push(plan);
        }
        Plan::new(plans).map_err(|error| failed(listing_failure(error.to_string(), false)))
    }

    async fn markets(&self) -> Result<Vec<MarketId>, SessionEnd> {
        let mut markets = self.ask("the markets", None, || self.source.markets()).await?;
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
        let mut listing = Listing::new(self.store, self.run, list);
        let mut cursor = None;
        let mut pages_without_news = 0;
        let (mut skipped, mut announced) = (SkippedItems::default(), None);
        loop {
            let what = format!("the products of market {market:?}");
            let page =
                self.ask(&what, Some(market), || self.source.products(market, cursor.as_ref())).await?;
            let total_before = listing.total();
            listing.add(page.products).await.map_err(failed)?;
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
        let listed = listing.finish().await.map_err(failed)?;
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

    /// Sends one listing request with its retries; ends early when the run stops.
    async fn ask<T, F>(
        &self,
        what: &str,
        market: Option<&MarketId>,
        request: impl Fn() -> F,
    ) -> Result<T, SessionEnd>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let subject = Subject { market, shown: None, kind: RequestKind::List, has_canary: false };
        let answer = self.requester.request(subject, request).await.ok_or(SessionEnd::Cancelled)?;
        answer
            .result
            .map(|success| success.value)
            .map_err(|given_up| failed(refused_listing(what, &given_up)))
    }
}

fn failed(failure: impl Into<SessionFailure>) -> SessionEnd {
    SessionEnd::Failed(failure.into())
}

const fn listing_failure(message: String, retryable: bool) -> SessionFailure {
    SessionFailure { class: RunFailureClass::Listing, message, retryable }
}

fn refused_listing(what: &str, GivenUp { fault, attempts }: &GivenUp) -> SessionFailure {
    let attempts = attempts.requests();
    let class = fault.failure.class();
    let (run_class, advice, retryable) = match class {
        FailureClass::Credentials => {
            (RunFailureClass::Credentials, "check the API key in the headers and the environment", false)
        }
        FailureClass::Transport | FailureClass::Timeout => {
            (RunFailureClass::Listing, "check source.base_url and whether the API is up", true)
        }
        FailureClass::ServerError | FailureClass::RateLimited | FailureClass::Cancelled => {
            (RunFailureClass::Listing, "the API is failing; the run retries by itself", true)
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
