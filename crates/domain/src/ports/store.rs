//! Where runs, plans and entries are kept.

use crate::{BoxFuture, Entry, MarketId, PlanPageKey, ProductId, Run, RunId};

/// Why the store could not do what it was asked. Nothing that was acknowledged before is affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space is left; free some and the store takes up its work again by itself.
    #[error("the disk is full: {0}")]
    Full(String),
    /// Reading or writing failed; the store tries to recover by itself at the next call.
    #[error("storage failed: {0}")]
    Io(String),
    /// A record cannot be read. Names the record and what to do.
    #[error("a stored record is damaged: {0}")]
    Damaged(String),
    /// A record was written by a newer version of this program.
    #[error("a stored record has format {found}, this version reads up to {supported}: upgrade the program")]
    NewerFormat {
        /// The version found.
        found: u32,
        /// The newest version this program reads.
        supported: u32,
    },
    /// The store was closed, as at the end of the program.
    #[error("the store is closed")]
    Closed,
}

/// Keeps everything that outlives the process. All methods may be called at once from anywhere.
///
/// **Durability**: when a writing call returns `Ok`, what it wrote survives a kill of the process and a
/// loss of power. When it returns an error, or never returns, the write may or may not be there
/// later, but whole or not at all.
///
/// **Shown is durable**: reads see durable values only. They see every acknowledged write; while a write is on its way to
/// the disk they see what was there before it, and they do not wait for it. What a read has given is given again, or what
/// was written after it, whatever happens to the process or to the power.
pub trait Store: Send + Sync {
    /// The run as last saved; [`Run::new`] when none was.
    fn load_run(&self) -> BoxFuture<'_, Result<Run, StoreError>>;

    /// Saves the run in place of the earlier one.
    fn save_run(&self, run: Run) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Saves one page of a plan, in place of an earlier one with the same key.
    fn save_plan_page(
        &self,
        key: PlanPageKey,
        products: Vec<ProductId>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// A page of a plan in the order it was saved; `None` when there is none.
    fn plan_page(&self, key: PlanPageKey) -> BoxFuture<'_, Result<Option<Vec<ProductId>>, StoreError>>;

    /// Deletes the plan pages of every run but `keep`.
    fn drop_plans_except(&self, keep: Option<RunId>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Puts the entry of a pair in place of the earlier one. The write is queued by the call itself, in
    /// the order of the calls; the future tells when it is durable and may be awaited later.
    fn record(
        &self,
        market: &MarketId,
        product: &ProductId,
        entry: Entry,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Asks for what is queued to be made durable now, where the store would wait to make a larger group of it. Returns at
    /// once. For callers that are about to wait for their writes; a store that never waits need not do anything.
    fn flush(&self) {}

    /// The entries of some products of a market, in the order asked for.
    fn entries_of<'a>(
        &'a self,
        market: &'a MarketId,
        products: &'a [ProductId],
    ) -> BoxFuture<'a, Result<Vec<Option<Entry>>, StoreError>>;

    /// The first `limit` entries of a market after `after`, ordered by the bytes of the product id.
    fn entries<'a>(
        &'a self,
        market: &'a MarketId,
        after: Option<&'a ProductId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(ProductId, Entry)>, StoreError>>;

    /// The markets that have at least one entry, ordered by the bytes of their ids.
    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, StoreError>>;

    /// Puts `idle` in place of the run and deletes all plans and, unless `keep_prices`, all entries, as
    /// one step: after a crash in the middle, the rest is deleted when the store is opened again.
    fn clear(&self, idle: Run, keep_prices: bool) -> BoxFuture<'_, Result<(), StoreError>>;
}
