//! What the contract puts into stores.

use std::future::Future;
use std::time::Duration;

use price_cache_domain::{
    Attempt, Attempts, Entry, Failure, FailureClass, Fetched, MarketId, ProductId, Quote, RunId, Store,
    StoreError, Timestamp, Visit,
};

use crate::price;

/// Ids with what makes ids go wrong: spaces, separators, other scripts, quotes, the largest code point.
pub(super) const ODD_IDS: [&str; 14] = [
    "US",
    "Standard_NM16ads_MA35D  ",
    " leading",
    "a/b:c?d=e&f#g%20",
    "größe 東京",
    "../../etc/passwd",
    "\"quoted\"",
    "it's",
    "\\backslash\\",
    "__proto__",
    "<script>",
    "\u{a0}non-breaking",
    "e\u{301}",
    "\u{10ffff}",
];

/// The result, or a panic that names the operation.
pub(super) async fn done<T>(what: &str, operation: impl Future<Output = Result<T, StoreError>>) -> T {
    match operation.await {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// An entry with a price that tells entries apart.
pub(super) fn priced(number: u32) -> Entry {
    let attempt = Attempt {
        at: Timestamp::from_millis(1_767_225_600_000 + i64::from(number)),
        duration: Duration::from_micros(5_123),
        status_code: Some(200),
        failure: None,
    };
    let quote = Quote { price: price(&format!("{number}.50"), "EUR"), etag: None };
    Entry::priced(
        None,
        Visit::first(RunId::from_number(1_767_225_599_000), 1),
        None,
        attempt,
        Fetched::Price(quote),
    )
}

/// An entry without a price.
pub(super) fn failed(number: u32) -> Entry {
    let attempt = Attempt {
        at: Timestamp::from_millis(1_767_225_600_000 + i64::from(number)),
        duration: Duration::from_millis(17),
        status_code: Some(404),
        failure: Some(Failure::new(FailureClass::NotFound, "status 404")),
    };
    Entry::failed(None, Visit::first(RunId::from_number(1_767_225_599_000), 1), Attempts::first(attempt))
}

pub(super) async fn record(store: &dyn Store, market: &MarketId, product: &ProductId, entry: &Entry) {
    done("record", store.record(market, product, entry.clone())).await;
}
