//! Reads the entries of a market a page at a time.

use price_cache_domain::{Entry, MarketId, ProductId, Store, StoreError};

/// Entries read from the store at a time: few enough to stay in a processor's cache until they are folded.
pub(crate) const ENTRIES_PAGE: usize = 200;

/// All entries of a market, a page at a time.
pub(crate) struct Entries<'a> {
    store: &'a dyn Store,
    market: &'a MarketId,
    after: Option<ProductId>,
    ended: bool,
}

impl<'a> Entries<'a> {
    pub(crate) const fn of(store: &'a dyn Store, market: &'a MarketId) -> Self {
        Self { store, market, after: None, ended: false }
    }

    /// The next page, never empty, or `None` after the last.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<(ProductId, Entry)>>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let page = self.store.entries(self.market, self.after.as_ref(), ENTRIES_PAGE).await?;
        self.ended = page.len() < ENTRIES_PAGE;
        self.after = page.last().map(|(product, _)| product.clone());
        Ok((!page.is_empty()).then_some(page))
    }
}
