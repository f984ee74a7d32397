//! Defects of a source: what panics fails by itself, and the run goes on.

use std::sync::atomic::{AtomicU32, Ordering};

use price_cache_domain::{
    BoxFuture, FailureClass, Fault, Fetched, MarketId, PageCursor, PriceSource, ProductId, ProductLists,
    ProductPage, RunFailureClass, RunStatus,
};
use price_cache_testkit::{ScriptedSource, product, quote};

use super::harness::{Setup, counts, failure_of};

#[tokio::test(start_paused = true)]
async fn a_product_whose_answer_makes_the_source_panic_fails_and_the_others_do_not() {
    let source = ScriptedSource::new().with_numbered("DE", 8).with_numbered("US", 8);
    source.set_default(|market, product, _, _| {
        assert!(market.as_str() != "DE" || product.as_str() != "p0005", "a defect, on purpose");
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    let rig = Setup::new(source.clone()).open().await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "DE"), counts(&done, "US")), ((8, 7, 1), (8, 8, 0)));
    assert_eq!(source.in_flight_max("DE"), 1);
    let entries = rig.setup.entries();
    let entry = &entries[&("DE".to_owned(), "p0005".to_owned())];
    let failure = entry.outcome.attempts.failure().unwrap();
    assert_eq!((failure.class(), &entry.price), (FailureClass::InvalidAnswer, &None));
    assert!(failure.message().contains("internal error"), "{}", failure.message());
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_does_not_come_again_costs_one_request() {
    let source = ScriptedSource::new().with_numbered("US", 8);
    let panics = AtomicU32::new(1);
    source.set_default(move |_, product, _, _| {
        let is_due = product.as_str() == "p0005" && panics.swap(0, Ordering::SeqCst) > 0;
        assert!(!is_due, "a defect, on purpose");
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    let done = Setup::new(source.clone()).open().await.whole_run().await;
    assert_eq!((counts(&done, "US"), source.requests_total()), ((8, 8, 0), 9));
}

/// Panics in the place of its first lists.
struct Panicking {
    markets: AtomicU32,
    products: AtomicU32,
}

fn panics(left: &AtomicU32) {
    let is_due = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    assert!(!is_due, "a defect, on purpose");
}

impl PriceSource for Panicking {
    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, Fault>> {
        Box::pin(async {
            panics(&self.markets);
            Ok(vec![price_cache_testkit::market("US")])
        })
    }

    fn product_lists(&self) -> ProductLists {
        ProductLists::PerMarket
    }

    fn products<'a>(
        &'a self,
        _market: &'a MarketId,
        _cursor: Option<&'a PageCursor>,
    ) -> BoxFuture<'a, Result<ProductPage, Fault>> {
        // Before there is a future at all.
        panics(&self.products);
        Box::pin(async { Ok(ProductPage::new(vec![product("a")], None)) })
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

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_list_is_retried_and_one_that_comes_each_time_is_an_error() {
    for (markets, products) in [(2, 0), (0, 2), (2, 2)] {
        let source = Panicking { markets: markets.into(), products: products.into() };
        let rig = Setup::new(ScriptedSource::new()).open_with_source(source).await;
        let done = rig.whole_run().await;
        assert_eq!(counts(&done, "US"), (1, 1, 0));
    }
    let source = Panicking { markets: 0.into(), products: 3.into() };
    let rig = Setup::new(ScriptedSource::new()).open_with_source(source).await;
    rig.start().await;
    let failure = failure_of(&rig.until_status(RunStatus::Error).await);
    assert_eq!(failure.class, RunFailureClass::Listing);
    assert!(failure.message.contains("internal error"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn a_stop_and_a_reset_work_after_a_panic() {
    let source = Panicking { markets: u32::MAX.into(), products: 0.into() };
    let rig = Setup::new(ScriptedSource::new()).open_with_source(source).await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    rig.stop().await;
    assert_eq!(rig.handle.snapshot().retry_at, None, "it does not go on by itself any more");
    rig.handle.reset(super::harness::operator(), false).await.unwrap();
    rig.until_status(RunStatus::Idle).await;
}
