//! A store in memory, with the failures and crashes that tests ask for.

mod data;
mod faults;

use std::future::pending;
use std::sync::{Arc, Mutex};

use price_cache_domain::{BoxFuture, Entry, MarketId, PlanPageKey, ProductId, Run, RunId, Store, StoreError};

use crate::gate::{Gate, lock};
use crate::store_contract::Hold;
use data::{Data, Write};
pub use faults::{CrashPoint, Operation};
use faults::{Faults, Verdict};

/// A [`Store`] in memory. A clone is the same store; [`reopen`](Self::reopen) is another store over the
/// same data.
///
/// `record` is done at the call: the entry is readable and durable before the future is first polled.
/// The exception is [`hold_writes`](Self::hold_writes). Every other operation happens when its future is
/// first polled. Each call counts as one operation, numbered from 1.
#[derive(Clone, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
    faults: Arc<Mutex<Faults>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a new process finds after this one was killed: the durable data, without held writes, and
    /// without the faults that were set here. Afterwards the two are independent but for the data.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self { data: Arc::clone(&self.data), faults: Arc::default() }
    }

    /// How many operations were begun.
    pub fn operations(&self) -> u64 {
        lock(&self.faults).operations
    }

    /// How many operations of one kind were begun.
    pub fn operations_of(&self, operation: Operation) -> u64 {
        lock(&self.faults).of(operation)
    }

    /// The next `count` operations fail with `error` and change nothing.
    pub fn fail_next(&self, count: u64, error: StoreError) {
        lock(&self.faults).fail_next(None, count, error);
    }

    /// The next `count` operations of one kind fail with `error` and change nothing.
    pub fn fail_next_of(&self, operation: Operation, count: u64, error: StoreError) {
        lock(&self.faults).fail_next(Some(operation), count, error);
    }

    /// Every operation fails with `error` and changes nothing, until [`recover`](Self::recover).
    pub fn fail_while(&self, error: StoreError) {
        lock(&self.faults).fail_next(None, u64::MAX, error);
    }

    /// Ends all failures that were asked for. A crash stays.
    pub fn recover(&self) {
        lock(&self.faults).recover();
    }

    /// The operation with this number, counted from 1 over the life of the store, changes nothing and
    /// never resolves, nor do all later ones.
    pub fn crash_after(&self, operation: u64) {
        self.crash_at(CrashPoint { operation, applied: false });
    }

    /// Crashes at a point: see [`CrashPoint`].
    pub fn crash_at(&self, point: CrashPoint) {
        lock(&self.faults).crash = Some(point);
    }

    /// Whether the crash point was reached.
    pub fn has_crashed(&self) -> bool {
        lock(&self.faults).has_crashed()
    }

    /// Waits until the crash point is reached.
    pub async fn crashed(&self) {
        let crashed = lock(&self.faults).crashed.clone();
        crashed.await;
    }

    /// From now on records wait: they are neither readable nor durable, and their futures stay pending.
    pub fn hold_writes(&self) {
        lock(&self.faults).holding = true;
    }

    /// How many records wait.
    pub fn held_writes(&self) -> usize {
        lock(&self.faults).held.len()
    }

    /// Makes the oldest `count` waiting records durable and acknowledges them; later ones wait on.
    pub fn release_some(&self, count: usize) {
        let released: Vec<_> = {
            let mut faults = lock(&self.faults);
            let count = count.min(faults.held.len());
            faults.held.drain(..count).collect()
        };
        for (write, gate) in released {
            lock(&self.data).put(write);
            gate.open(Ok(()));
        }
    }

    /// Makes all waiting records durable, acknowledges them, and lets later ones through.
    pub fn release_writes(&self) {
        lock(&self.faults).holding = false;
        self.release_some(usize::MAX);
    }

    /// Every entry as (market, product, entry), without counting as an operation.
    pub fn all_entries(&self) -> Vec<(MarketId, ProductId, Entry)> {
        lock(&self.data).all_entries()
    }

    /// The run, without counting as an operation.
    pub fn run(&self) -> Run {
        lock(&self.data).run.clone()
    }

    /// How many plan pages there are, without counting as an operation.
    pub fn plan_pages(&self) -> usize {
        lock(&self.data).plans.len()
    }

    /// Does one operation under the faults in force.
    async fn operate<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut Data) -> T,
    ) -> Result<T, StoreError> {
        let verdict = lock(&self.faults).next(operation);
        match verdict {
            Verdict::Do => Ok(work(&mut lock(&self.data))),
            Verdict::Fail(error) => Err(error),
            Verdict::DoAndHang => {
                work(&mut lock(&self.data));
                pending().await
            }
            Verdict::Hang => pending().await,
        }
    }
}

impl Hold for MemoryStore {
    fn hold(&self) {
        self.hold_writes();
    }

    /// A record is held by the call itself.
    fn wait_until_held(&self) {}

    fn release(&self) {
        self.release_writes();
    }
}

impl Store for MemoryStore {
    fn load_run(&self) -> BoxFuture<'_, Result<Run, StoreError>> {
        Box::pin(self.operate(Operation::LoadRun, |data| data.run.clone()))
    }

    fn save_run(&self, run: Run) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.operate(Operation::SaveRun, |data| data.run = run))
    }

    fn save_plan_page(
        &self,
        key: PlanPageKey,
        products: Vec<ProductId>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.operate(Operation::SavePlanPage, move |data| {
            data.plans.insert(key, products);
        }))
    }

    fn plan_page(&self, key: PlanPageKey) -> BoxFuture<'_, Result<Option<Vec<ProductId>>, StoreError>> {
        Box::pin(self.operate(Operation::PlanPage, move |data| data.plans.get(&key).cloned()))
    }

    fn drop_plans_except(&self, keep: Option<RunId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.operate(Operation::DropPlans, move |data| {
            data.plans.retain(|key, _| Some(key.run) == keep);
        }))
    }

    fn record(
        &self,
        market: &MarketId,
        product: &ProductId,
        entry: Entry,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let write = Write { market: market.clone(), product: product.clone(), entry };
        let mut faults = lock(&self.faults);
        match faults.next(Operation::Record) {
            Verdict::Do if faults.holding => {
                let gate = Gate::closed();
                faults.held.push_back((write, gate.clone()));
                Box::pin(gate)
            }
            Verdict::Do => {
                lock(&self.data).put(write);
                Box::pin(std::future::ready(Ok(())))
            }
            Verdict::Fail(error) => Box::pin(std::future::ready(Err(error))),
            Verdict::DoAndHang => {
                lock(&self.data).put(write);
                Box::pin(pending())
            }
            Verdict::Hang => Box::pin(pending()),
        }
    }

    fn entries_of<'a>(
        &'a self,
        market: &'a MarketId,
        products: &'a [ProductId],
    ) -> BoxFuture<'a, Result<Vec<Option<Entry>>, StoreError>> {
        Box::pin(self.operate(Operation::EntriesOf, move |data| data.entries_of(market, products)))
    }

    fn entries<'a>(
        &'a self,
        market: &'a MarketId,
        after: Option<&'a ProductId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(ProductId, Entry)>, StoreError>> {
        Box::pin(self.operate(Operation::Entries, move |data| data.page(market, after, limit)))
    }

    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, StoreError>> {
        Box::pin(self.operate(Operation::Markets, |data| data.entries.keys().cloned().collect()))
    }

    fn clear(&self, idle: Run, keep_prices: bool) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.operate(Operation::Clear, move |data| data.clear(idle, keep_prices)))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use price_cache_domain::{Attempt, Timestamp, Visit};

    use super::*;
    use crate::{block_on, default_price, market, product};

    fn entry() -> Entry {
        let attempt = Attempt {
            at: Timestamp::from_millis(1),
            duration: Duration::from_millis(2),
            status_code: Some(200),
            failure: None,
        };
        let price = price_cache_domain::Fetched::Price(price_cache_domain::Quote {
            price: default_price(&market("US"), &product("a")),
            etag: None,
        });
        Entry::priced(None, Visit::first(RunId::from_number(1), 1), None, attempt, price)
    }

    fn is_pending<T>(future: impl Future<Output = T>) -> bool {
        matches!(pin!(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
    }

    #[test]
    fn held_records_are_lost_by_a_kill_and_kept_by_a_release() {
        let store = MemoryStore::new();
        store.hold_writes();
        let (us, a, b) = (market("US"), product("a"), product("b"));
        let first = store.record(&us, &a, entry());
        let mut second = store.record(&us, &b, entry());
        assert!(is_pending(&mut second));
        assert_eq!(store.reopen().all_entries().len(), 0);
        store.release_some(1);
        assert_eq!(block_on(first), Ok(()));
        assert!(is_pending(&mut second));
        assert_eq!(store.reopen().all_entries().len(), 1);
        store.release_writes();
        assert_eq!(block_on(second), Ok(()));
        assert_eq!(block_on(store.record(&us, &a, entry())), Ok(()));
    }

    #[test]
    fn failures_end_and_crashes_do_not() {
        let store = MemoryStore::new();
        store.fail_next(1, StoreError::Closed);
        store.fail_next_of(Operation::Markets, 1, StoreError::Full("full".to_owned()));
        assert_eq!(block_on(store.load_run()), Err(StoreError::Closed));
        assert_eq!(block_on(store.load_run()), Ok(Run::new()));
        assert_eq!(block_on(store.markets()), Err(StoreError::Full("full".to_owned())));
        store.fail_while(StoreError::Closed);
        assert!(block_on(store.load_run()).is_err() && block_on(store.load_run()).is_err());
        store.recover();
        assert_eq!(block_on(store.load_run()), Ok(Run::new()));
        assert_eq!(store.operations(), 6);
        store.crash_at(CrashPoint { operation: 7, applied: true });
        assert!(is_pending(store.record(&market("US"), &product("a"), entry())));
        assert!(is_pending(store.record(&market("US"), &product("b"), entry())));
        assert!(is_pending(store.load_run()) && store.has_crashed());
        let found = store.reopen();
        assert_eq!(found.all_entries().len(), 1);
        assert_eq!(block_on(found.load_run()), Ok(Run::new()));
    }
}
