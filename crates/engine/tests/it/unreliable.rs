//! Ports that misbehave in ways the test kit's do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use price_cache_domain::{
    BoxFuture, Entry, Fault, Fetched, MarketId, PageCursor, PlanPageKey, PriceSource, ProductId,
    ProductLists, ProductPage, Run, RunId, Store, StoreError,
};
use price_cache_testkit::{MemoryStore, market, product, quote};

/// Refuses the records of one product a few times, though the first of them reached the disk; everything
/// else is the store beneath.
pub(crate) struct UnreliableStore {
    beneath: MemoryStore,
    refused: ProductId,
    refusals_left: Arc<AtomicU32>,
}

impl UnreliableStore {
    pub(crate) fn refusing(beneath: MemoryStore, refused: &str, times: u32) -> Self {
        Self { beneath, refused: product(refused), refusals_left: Arc::new(AtomicU32::new(times)) }
    }
}

impl Store for UnreliableStore {
    fn record(
        &self,
        market: &MarketId,
        product: &ProductId,
        entry: Entry,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let written = self.beneath.record(market, product, entry);
        let left = self.refusals_left.load(Ordering::SeqCst);
        if *product != self.refused || left == 0 {
            return written;
        }
        self.refusals_left.store(left - 1, Ordering::SeqCst);
        Box::pin(async move {
            written.await?;
            Err(StoreError::Io("the acknowledgement was lost".to_owned()))
        })
    }

    fn load_run(&self) -> BoxFuture<'_, Result<Run, StoreError>> {
        self.beneath.load_run()
    }

    fn save_run(&self, run: Run) -> BoxFuture<'_, Result<(), StoreError>> {
        self.beneath.save_run(run)
    }

    fn save_plan_page(
        &self,
        key: PlanPageKey,
        products: Vec<ProductId>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.beneath.save_plan_page(key, products)
    }

    fn plan_page(&self, key: PlanPageKey) -> BoxFuture<'_, Result<Option<Vec<ProductId>>, StoreError>> {
        self.beneath.plan_page(key)
    }

    fn drop_plans_except(&self, keep: Option<RunId>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.beneath.drop_plans_except(keep)
    }

    fn entries_of<'a>(
        &'a self,
        market: &'a MarketId,
        products: &'a [ProductId],
    ) -> BoxFuture<'a, Result<Vec<Option<Entry>>, StoreError>> {
        self.beneath.entries_of(market, products)
    }

    fn entries<'a>(
        &'a self,
        market: &'a MarketId,
        after: Option<&'a ProductId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(ProductId, Entry)>, StoreError>> {
        self.beneath.entries(market, after, limit)
    }

    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, StoreError>> {
        self.beneath.markets()
    }

    fn clear(&self, idle: Run, keep_prices: bool) -> BoxFuture<'_, Result<(), StoreError>> {
        self.beneath.clear(idle, keep_prices)
    }
}

/// A source whose product pages follow each other in a circle of this length.
pub(crate) struct Circle {
    pub(crate) length: usize,
}

impl PriceSource for Circle {
    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, Fault>> {
        Box::pin(async { Ok(vec![market("US")]) })
    }

    fn product_lists(&self) -> ProductLists {
        ProductLists::PerMarket
    }

    fn products<'a>(
        &'a self,
        _market: &'a MarketId,
        cursor: Option<&'a PageCursor>,
    ) -> BoxFuture<'a, Result<ProductPage, Fault>> {
        let at: usize = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        let next = Some(PageCursor(((at + 1) % self.length).to_string()));
        Box::pin(async move { Ok(ProductPage::new(vec![product(&format!("p{at}"))], next)) })
    }

    fn price<'a>(
        &'a self,
        _market: &'a MarketId,
        _product: &'a ProductId,
        _etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Fetched, Fault>> {
        Box::pin(async { Ok(quote("1.00", "EUR")) })
    }

    fn price_url(&self, market: &MarketId, product: &ProductId) -> String {
        format!("https://prices.test/{market}/{product}")
    }
}
