//! The stores that are harmed, and all that was ever written to them: several passes over the same products, so that
//! an old value, or one of another product, is known for what it is.

use std::path::Path;
use std::time::Duration;

use crate::{Backend, EmbeddedStore, copy_folder};
use price_cache_domain::{
    Attempt, Entry, Fetched, MarketId, PlanPageKey, ProductId, Quote, Run, RunId, Store, Timestamp, Visit,
};
use price_cache_testkit::{block_on, market, price, product};

use crate::testing::sample::{open, run_with_plan};

/// Ids of different lengths with beginnings in common: sled stores what pages have in common once.
pub(crate) const MARKETS: [&str; 3] = ["DE", "D", "market/with-a-longer-name"];
pub(crate) const PRODUCTS: u32 = 700;
pub(crate) const PASSES: u32 = 4;
pub(crate) const PLAN_PAGES: u32 = 6;
/// Products whose entries are so large that sled keeps them in files of their own.
const LARGE: u32 = 4;
const LARGE_BYTES: usize = 150_000;
/// Records that are on their way at a time.
const WINDOW: usize = 64;

/// A folder with a store in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Original {
    /// Closed well and never opened since: sled has a snapshot from the beginning only.
    Closed,
    /// Opened once more: sled's snapshot tells where everything is.
    Opened,
    /// Copied while it was being written, as a kill leaves it.
    Killed,
}

impl Original {
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::Opened, Self::Killed];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// Makes all of them in a folder.
    pub(crate) fn make_all<B: Backend>(folder: &Path) {
        let killed = folder.join(Self::Killed.name());
        let closed = folder.join(Self::Closed.name());
        let store = open::<B>(&closed);
        write_everything(&store, || copy_folder(&closed, &killed).unwrap());
        drop(store);
        let opened = folder.join(Self::Opened.name());
        copy_folder(&closed, &opened).unwrap();
        drop(open::<B>(&opened));
    }

    pub(crate) fn copy(self, from: &Path, to: &Path) {
        copy_folder(&from.join(self.name()), to).unwrap();
    }
}

pub(crate) fn id(number: u32) -> ProductId {
    // Some ids begin with others.
    let text = if number.is_multiple_of(7) {
        format!("sku-{number}")
    } else {
        format!("sku-{number:05}-of-a-product")
    };
    product(&text)
}

pub(crate) fn run_id(pass: u32) -> RunId {
    RunId::from_number(1_767_225_600_000 + u64::from(pass) * 86_400_000)
}

/// The entry of a product as one pass made it. No other pair or pass has the same.
pub(crate) fn entry(market_index: usize, number: u32, pass: u32) -> Entry {
    let amount = format!("{number}.{pass}{market_index}");
    let at = 1_767_225_600_000 + i64::from(pass) * 86_400_000 + i64::from(number);
    let attempt = Attempt {
        at: Timestamp::from_millis(at),
        duration: Duration::from_millis(5),
        status_code: Some(200),
        failure: None,
    };
    let etag = (number < LARGE).then(|| format!("{amount} ").repeat(LARGE_BYTES / (amount.len() + 1)));
    let quote = Fetched::Price(Quote { price: price(&amount, "EUR"), etag });
    Entry::priced(None, Visit::first(run_id(pass), 1), None, attempt, quote)
}

pub(crate) fn page_key(pass: u32, page: u32) -> PlanPageKey {
    PlanPageKey { run: run_id(pass), list: 0, page }
}

pub(crate) fn page(pass: u32, page: u32) -> Vec<ProductId> {
    (0..500).map(|number| product(&format!("planned-{pass}-{page}-{number}"))).collect()
}

pub(crate) fn markets() -> Vec<MarketId> {
    MARKETS.iter().map(|id| market(id)).collect()
}

/// All that the run ever was.
pub(crate) fn runs() -> Vec<Run> {
    [Run::new()].into_iter().chain((0..PASSES).map(|pass| run_with_plan(run_id(pass), PLAN_PAGES))).collect()
}

/// Pass after pass; in the middle of the last one `interrupt` is called, with records on their way.
fn write_everything<B: Backend>(store: &EmbeddedStore<B>, interrupt: impl FnOnce()) {
    let mut interrupt = Some(interrupt);
    for pass in 0..PASSES {
        for number in 0..PLAN_PAGES {
            block_on(store.save_plan_page(page_key(pass, number), page(pass, number))).unwrap();
        }
        block_on(store.save_run(runs()[pass as usize + 1].clone())).unwrap();
        block_on(store.drop_plans_except(Some(run_id(pass)))).unwrap();
        for (market_index, market) in markets().iter().enumerate() {
            let numbers: Vec<u32> = (0..PRODUCTS).collect();
            for window in numbers.chunks(WINDOW) {
                let writes: Vec<_> = window
                    .iter()
                    .map(|number| store.record(market, &id(*number), entry(market_index, *number, pass)))
                    .collect();
                if pass + 1 == PASSES && market_index == 1 && window.contains(&(PRODUCTS / 2)) {
                    interrupt.take().into_iter().for_each(|interrupt| interrupt());
                }
                for write in writes {
                    block_on(write).unwrap();
                }
            }
        }
    }
}
