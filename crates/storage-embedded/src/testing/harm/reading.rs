//! Reads everything of a harmed store, writes to it, reads again, and judges each answer.

use std::fmt;
use std::path::Path;

use crate::{Backend, EmbeddedStore};
use price_cache_domain::{Entry, ProductId, Store, StoreError, StoreMaintenance};
use price_cache_testkit::block_on;

use super::original::{MARKETS, PASSES, PLAN_PAGES, PRODUCTS, entry, id, markets, page, page_key, runs};
use crate::testing::sample::options;

/// What a harmed store answered. Whatever is neither right, absent nor an error ends the test.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Why it could not be opened.
    refused: Option<String>,
    newest: u32,
    older: u32,
    absent: u32,
    errors: u32,
    /// The store itself says that something is missing, too old or unreadable.
    is_told: bool,
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.refused {
            Some(sentence) => write!(formatter, "refused: {sentence}"),
            None => write!(
                formatter,
                "opened: newest {} older {} absent {} errors {} told {}",
                self.newest, self.older, self.absent, self.errors, self.is_told
            ),
        }
    }
}

fn number_of(product: &ProductId) -> Option<u32> {
    let digits = product.as_str().strip_prefix("sku-")?.split('-').next()?;
    digits.parse().ok().filter(|number| *number < PRODUCTS && id(*number) == *product)
}

/// Checks the sentence of an error.
fn sentence(text: &str) {
    assert!(!text.is_empty() && !text.contains('\n'), "not one sentence: {text:?}");
}

pub(crate) fn read_everything<B: Backend>(folder: &Path) -> Found {
    let mut found = Found::default();
    let store = match EmbeddedStore::<B>::open(options(folder)) {
        Ok(store) => store,
        Err(error) => {
            let text = error.to_string();
            sentence(&text);
            assert!(text.contains(&folder.display().to_string()), "the folder is not named: {text}");
            found.refused = Some(text);
            return found;
        }
    };
    match block_on(store.load_run()) {
        Ok(run) => assert!(runs().contains(&run), "the run never was so: {run:?}"),
        Err(error) => found.error(&error),
    }
    for pass in 0..PASSES {
        for number in 0..PLAN_PAGES {
            match block_on(store.plan_page(page_key(pass, number))) {
                Ok(Some(products)) => assert!(products == page(pass, number), "page {number} of pass {pass}"),
                Ok(None) => {}
                Err(error) => found.error(&error),
            }
        }
    }
    if let Err(error) = block_on(store.markets()) {
        found.error(&error);
    }
    found.read_prices(&store);
    match block_on(store.verify()) {
        Ok(verified) => {
            assert!(verified.problems.iter().all(|problem| !problem.reason.is_empty()));
            let is_told = verified.loss.is_some() || verified.problems_total > 0;
            found.is_told = is_told || store.rebuilt().is_some();
        }
        Err(error) => found.error(&error),
    }
    found.write_and_read(&store);
    drop(store);
    found
}

impl Found {
    fn error(&mut self, error: &StoreError) {
        sentence(&error.to_string());
        self.errors += 1;
    }

    fn judge(&mut self, market_index: usize, product: &ProductId, stored: &Entry) {
        let number = number_of(product).unwrap_or_else(|| panic!("{product:?} never was: {stored:?}"));
        let pass = (0..PASSES).find(|pass| entry(market_index, number, *pass) == *stored);
        match pass {
            Some(pass) if pass + 1 == PASSES => self.newest += 1,
            Some(_) => self.older += 1,
            None => panic!(
                "{product:?} of {:?} never had this: {:.2000}",
                MARKETS[market_index],
                format!("{stored:?}")
            ),
        }
    }

    /// One product at a time, and page by page.
    fn read_prices<B: Backend>(&mut self, store: &EmbeddedStore<B>) {
        for (market_index, market) in markets().iter().enumerate() {
            for number in 0..PRODUCTS {
                match block_on(store.entries_of(market, &[id(number)])).map(|mut found| found.remove(0)) {
                    Ok(Some(stored)) => self.judge(market_index, &id(number), &stored),
                    Ok(None) => self.absent += 1,
                    Err(error) => self.error(&error),
                }
            }
            match block_on(store.entries(market, None, usize::MAX)) {
                Ok(entries) => {
                    let ascending =
                        entries.is_sorted_by(|(one, _), (other, _)| one.as_str() < other.as_str());
                    assert!(ascending, "a product twice, or out of order");
                    for (product, stored) in &entries {
                        self.judge(market_index, product, stored);
                    }
                }
                Err(error) => self.error(&error),
            }
        }
    }

    /// What is acknowledged now is there, also after the store was opened once more.
    fn write_and_read<B: Backend>(&mut self, store: &EmbeddedStore<B>) {
        let market = &markets()[0];
        for number in (0..PRODUCTS).step_by(50) {
            let written = entry(0, number, PASSES - 1);
            if let Err(error) = block_on(store.record(market, &id(number), written.clone())) {
                self.error(&error);
                continue;
            }
            match block_on(store.entries_of(market, &[id(number)])) {
                Ok(found) => assert_eq!(found, [Some(written)], "it was acknowledged"),
                Err(error) => self.error(&error),
            }
        }
    }
}
