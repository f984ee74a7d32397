//! What these tests write.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::{Backend, EmbeddedOptions, EmbeddedStore};
use price_cache_domain::{
    Attempt, Entry, MarketId, MarketPlan, Pass, Plan, ProductId, Run, RunId, RunRecord, RunStatus, Store,
    Timestamp, Visit,
};
use price_cache_testkit::{block_on, market, product, quote};

/// Memory for pages.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// A small reserve makes a store fast to open.
pub(crate) fn options(path: &Path) -> EmbeddedOptions {
    EmbeddedOptions { reserve_bytes: 64 * 1024, ..EmbeddedOptions::new(path, CACHE_BYTES) }
}

pub(crate) fn open<B: Backend>(path: &Path) -> EmbeddedStore<B> {
    EmbeddedStore::<B>::open(options(path)).unwrap()
}

pub(crate) fn us() -> MarketId {
    market("US")
}

pub(crate) fn id(number: u32) -> ProductId {
    product(&format!("p{number:06}"))
}

/// An entry that tells `number` by its price.
pub(crate) fn priced(number: u32) -> Entry {
    let attempt = Attempt {
        at: Timestamp::from_millis(1_767_225_600_000 + i64::from(number)),
        duration: Duration::from_millis(5),
        status_code: Some(200),
        failure: None,
    };
    let price = quote(&format!("{number}.50"), "EUR");
    Entry::priced(None, Visit::first(RunId::from_number(1_767_225_600_000), 1), None, attempt, price)
}

/// The number of an entry made by [`priced`].
pub(crate) fn number_of(entry: &Entry) -> u32 {
    entry.price.as_ref().unwrap().price.amount.as_str().strip_suffix(".50").unwrap().parse().unwrap()
}

/// A run that is under way, with a plan of one market.
pub(crate) fn run_with_plan(run: RunId, pages: u32) -> Run {
    let market = MarketPlan { market: us(), list: 0, pages, total: u64::from(pages) * 500 };
    let record = RunRecord {
        status: RunStatus::Processing,
        run: Some(run),
        started_at: Some(Timestamp::from_millis(1_767_225_600_000)),
        since: Some(Timestamp::from_millis(1_767_225_600_000)),
        active_before: Duration::ZERO,
        pass: Pass { number: 1, unfinished: true, retry: None },
        logs_cleared_at: None,
        plan: Some(Arc::new(Plan::new(vec![market]).unwrap())),
        pause_reason: None,
        failure: None,
    };
    Run::try_from(record).unwrap()
}

/// Writes numbers from a range under their own ids, and waits for all.
pub(crate) fn fill<B: Backend>(store: &EmbeddedStore<B>, numbers: std::ops::Range<u32>) {
    let writes: Vec<_> = numbers.map(|number| store.record(&us(), &id(number), priced(number))).collect();
    for write in writes {
        block_on(write).unwrap();
    }
}

/// Every entry of the market, by walking pages.
pub(crate) fn all_numbers<B: Backend>(store: &EmbeddedStore<B>) -> Vec<u32> {
    block_on(store.entries(&us(), None, usize::MAX))
        .unwrap()
        .iter()
        .map(|(_, entry)| number_of(entry))
        .collect()
}

pub(crate) fn one<B: Backend>(store: &EmbeddedStore<B>, number: u32) -> Option<Entry> {
    block_on(store.entries_of(&us(), &[id(number)])).unwrap().remove(0)
}
