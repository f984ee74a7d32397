//! What a store in memory holds.

use std::collections::BTreeMap;
use std::ops::Bound;

use price_cache_domain::{Entry, MarketId, PlanPageKey, ProductId, Run};

/// One entry to be put.
pub(super) struct Write {
    pub(super) market: MarketId,
    pub(super) product: ProductId,
    pub(super) entry: Entry,
}

/// Ids are ordered by the bytes of their text, as the derived order of the domain's ids is.
#[derive(Default)]
pub(super) struct Data {
    pub(super) run: Run,
    pub(super) plans: BTreeMap<PlanPageKey, Vec<ProductId>>,
    pub(super) entries: BTreeMap<MarketId, BTreeMap<ProductId, Entry>>,
}

impl Data {
    pub(super) fn put(&mut self, write: Write) {
        self.entries.entry(write.market).or_default().insert(write.product, write.entry);
    }

    pub(super) fn entries_of(&self, market: &MarketId, products: &[ProductId]) -> Vec<Option<Entry>> {
        let entries = self.entries.get(market);
        products.iter().map(|product| entries?.get(product).cloned()).collect()
    }

    pub(super) fn page(
        &self,
        market: &MarketId,
        after: Option<&ProductId>,
        limit: usize,
    ) -> Vec<(ProductId, Entry)> {
        let Some(entries) = self.entries.get(market) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        entries
            .range::<ProductId, _>((from, Bound::Unbounded))
            .take(limit)
            .map(|(product, entry)| (product.clone(), entry.clone()))
            .collect()
    }

    pub(super) fn all_entries(&self) -> Vec<(MarketId, ProductId, Entry)> {
        let flat = self.entries.iter().flat_map(|(market, entries)| {
            entries.iter().map(|(product, entry)| (market.clone(), product.clone(), entry.clone()))
        });
        flat.collect()
    }

    pub(super) fn clear(&mut self, idle: Run, keep_prices: bool) {
        self.run = idle;
        self.plans.clear();
        if !keep_prices {
            self.entries.clear();
        }
    }
}
