//! Reads of the cache that need neither the engine nor a run.

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Entry, FailureClass, MarketId, Outcome, ProductId, RunId, Store, StoreError, Timestamp,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::view::entries::{ENTRIES_PAGE, Entries};

/// The summary of all markets is counted at most this often; it reads every entry.
const SUMMARY_AGE_MAX: Duration = Duration::from_secs(5);

/// What the cache holds of one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketPrices {
    /// The market.
    pub market: MarketId,
    /// Products with a price.
    pub prices: u64,
    /// Products without a price, because every fetch failed so far.
    pub without_price: u64,
    /// When the oldest of the prices was fetched.
    pub oldest: Option<Timestamp>,
    /// When the newest of the prices was fetched.
    pub newest: Option<Timestamp>,
}

/// A failed product of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedProduct {
    /// Its market.
    pub market: MarketId,
    /// Its id.
    pub product: ProductId,
    /// What became of it.
    pub outcome: Outcome,
}

/// The last failed product of a page; the next page goes on after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedProductsCursor {
    /// Its market.
    pub market: MarketId,
    /// Its id.
    pub product: ProductId,
}

/// What the cache holds of all markets, and when that was counted.
struct Summary {
    counted: Instant,
    markets: Vec<MarketPrices>,
}

/// Reads entries. Clones share one store and one summary.
#[derive(Clone)]
pub struct CacheReader {
    store: Arc<dyn Store>,
    summary: Arc<Mutex<Option<Summary>>>,
}

impl CacheReader {
    /// Reads this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, summary: Arc::default() }
    }

    /// The entry of a pair.
    pub async fn entry(&self, market: &MarketId, product: &ProductId) -> Result<Option<Entry>, StoreError> {
        let found = self.store.entries_of(market, std::slice::from_ref(product)).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Whether the store can be read at all.
    pub async fn is_readable(&self) -> Result<(), StoreError> {
        self.store.load_run().await.map(drop)
    }

    /// A page of a market's entries, ordered by the bytes of the product ids.
    pub async fn entries(
        &self,
        market: &MarketId,
        after: Option<&ProductId>,
        limit: usize,
    ) -> Result<Vec<(ProductId, Entry)>, StoreError> {
        self.store.entries(market, after, limit).await
    }

    /// Whether the cache holds anything of a market.
    pub async fn has_market(&self, market: &MarketId) -> Result<bool, StoreError> {
        Ok(!self.store.entries(market, None, 1).await?.is_empty())
    }

    /// What the cache holds of each market, ordered by the bytes of their ids, at most some seconds old.
    pub async fn markets(&self) -> Result<Vec<MarketPrices>, StoreError> {
        // Others that ask meanwhile wait for this count instead of beginning another.
        let mut summary = self.summary.lock().await;
        if let Some(summary) = &*summary
            && summary.counted.elapsed() < SUMMARY_AGE_MAX
        {
            return Ok(summary.markets.clone());
        }
        let mut markets = Vec::new();
        for market in self.store.markets().await? {
            markets.push(self.summarise(market).await?);
        }
        *summary = Some(Summary { counted: Instant::now(), markets: markets.clone() });
        Ok(markets)
    }

    /// The next summary is counted again: what there was may be gone.
    pub(crate) async fn forget_summary(&self) {
        *self.summary.lock().await = None;
    }

    async fn summarise(&self, market: MarketId) -> Result<MarketPrices, StoreError> {
        let (mut prices, mut without_price) = (0, 0);
        let (mut oldest, mut newest): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        let mut entries = Entries::of(&*self.store, &market);
        while let Some(page) = entries.next_page().await? {
            for (_, entry) in page {
                let Some(price) = entry.price else {
                    without_price += 1;
                    continue;
                };
                prices += 1;
                oldest = Some(oldest.map_or(price.fetched_at, |oldest| oldest.min(price.fetched_at)));
                newest = newest.max(Some(price.fetched_at));
            }
        }
        Ok(MarketPrices { market, prices, without_price, oldest, newest })
    }

    /// The failed products of a run after `after`, at most `limit`, in the order of `markets` and
    /// within a market by the bytes of the product ids.
    pub async fn failed_products(
        &self,
        run: RunId,
        markets: &[MarketId],
        class: Option<FailureClass>,
        after: Option<&FailedProductsCursor>,
        limit: usize,
    ) -> Result<Vec<FailedProduct>, StoreError> {
        let begin = after.and_then(|after| markets.iter().position(|market| *market == after.market));
        let mut found = Vec::new();
        for market in &markets[begin.unwrap_or(0)..] {
            let mut from = after.filter(|after| after.market == *market).map(|after| after.product.clone());
            loop {
                if found.len() >= limit {
                    return Ok(found);
                }
                let page = self.store.entries(market, from.as_ref(), ENTRIES_PAGE).await?;
                let ended = page.len() < ENTRIES_PAGE;
                from = page.last().map(|(product, _)| product.clone());
                let failed = page.into_iter().filter(|(_, entry)| {
                    let failure = entry.outcome_in(run).and_then(|outcome| outcome.attempts.failure());
                    failure.is_some_and(|failure| class.is_none_or(|class| class == failure.class()))
                });
                let wanted = limit - found.len();
                found.extend(failed.take(wanted).map(|(product, entry)| FailedProduct {
                    market: market.clone(),
                    product,
                    outcome: entry.outcome,
                }));
                if ended {
                    break;
                }
            }
        }
        Ok(found)
    }
}
