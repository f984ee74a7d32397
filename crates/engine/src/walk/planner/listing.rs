//! Cuts the product ids of a market into stored pages and drops those that came before.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use price_cache_domain::{PLAN_PAGE_PRODUCTS_MAX, PlanPageKey, ProductId, RunId, Store, StoreError};

/// Counts what was listed.
pub(super) struct Listed {
    pub(super) pages: u32,
    pub(super) total: u64,
    pub(super) duplicates: u64,
}

/// A product list that is being stored.
pub(super) struct Listing<'a> {
    store: &'a dyn Store,
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
    pub(super) fn new(store: &'a dyn Store, run: RunId, list: u32) -> Self {
        Self {
            store,
            run,
            list,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            open: Vec::new(),
            listed: Listed { pages: 0, total: 0, duplicates: 0 },
        }
    }

    /// Returns the number of different products so far.
    pub(super) fn total(&self) -> u64 {
        self.listed.total + self.open.len() as u64
    }

    pub(super) async fn add(&mut self, products: Vec<ProductId>) -> Result<(), StoreError> {
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

    /// Returns which of the suspects are in the list already.
    async fn confirmed(&self, suspects: &HashSet<ProductId>) -> Result<HashSet<ProductId>, StoreError> {
        let mut known: HashSet<_> =
            self.open.iter().filter(|product| suspects.contains(*product)).cloned().collect();
        for page in 0..self.listed.pages {
            let key = PlanPageKey { run: self.run, list: self.list, page };
            let stored = self.store.plan_page(key).await?.unwrap_or_default();
            known.extend(stored.into_iter().filter(|product| suspects.contains(product)));
        }
        Ok(known)
    }

    async fn store_page(&mut self, rest: Vec<ProductId>) -> Result<(), StoreError> {
        let products = std::mem::replace(&mut self.open, rest);
        let key = PlanPageKey { run: self.run, list: self.list, page: self.listed.pages };
        self.listed.total += products.len() as u64;
        self.store.save_plan_page(key, products).await?;
        self.listed.pages += 1;
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<Listed, StoreError> {
        if !self.open.is_empty() {
            self.store_page(Vec::new()).await?;
        }
        Ok(self.listed)
    }
}
