//! The contract of [`Store`], one function per obligation. Every store passes all of them.
//!
//! ```
//! use std::sync::Arc;
//!
//! use price_cache_domain::{BoxFuture, Store};
//! use price_cache_testkit::{MemoryStore, store_contract::Harness};
//!
//! struct InMemory;
//!
//! impl Harness for InMemory {
//!     fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
//!         Box::pin(async { Arc::new(MemoryStore::new()) as Arc<dyn Store> })
//!     }
//!     # fn open_slow(&self) -> BoxFuture<'_, (Arc<dyn Store>, Arc<dyn price_cache_testkit::store_contract::Hold>)> {
//!     #     let store = MemoryStore::new();
//!     #     Box::pin(async { (Arc::new(store.clone()) as _, Arc::new(store) as _) })
//!     # }
//!     # fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>> {
//!     #     Box::pin(async move { store })
//!     # }
//! }
//!
//! # let harness = InMemory;
//! price_cache_testkit::block_on(price_cache_testkit::store_contract::run_all(&harness));
//! ```
//!
//! [`store_contract_tests!`](crate::store_contract_tests) makes a `#[test]` of each.

mod clear;
mod durable;
mod entries;
mod entry_fields;
mod paging;
mod plan_pages;
mod runs;
mod samples;

use std::sync::Arc;

use price_cache_domain::{BoxFuture, Store};

pub use clear::{clear_deletes_everything_and_sets_the_run, clear_may_keep_the_prices};
pub use durable::{
    a_new_market_is_shown_once_it_is_durable, an_unsynced_record_is_not_shown_and_keeps_no_reader_waiting,
};
pub use entries::{
    concurrent_writers_do_not_lose_writes, entries_of_keeps_the_order_and_says_what_is_missing,
    entries_of_many_products_are_all_found, records_are_independent_of_each_other, records_survive_reopening,
    the_last_record_of_a_pair_wins,
};
pub use entry_fields::every_field_of_an_entry_comes_back;
pub use paging::{
    a_page_begins_after_ids_that_do_not_exist, a_page_has_at_most_its_limit, a_page_stays_within_its_market,
    markets_are_sorted_and_appear_once, pages_follow_the_bytes_of_ids,
};
pub use plan_pages::{
    a_missing_plan_page_is_none, dropping_plans_keeps_the_one_named, plan_pages_are_replaced,
    plan_pages_keep_their_order, plan_pages_of_any_size_come_back,
};
pub use runs::{
    a_large_plan_comes_back_and_gives_way_to_a_small_one, a_new_store_is_idle, every_state_comes_back,
    retry_filters_come_back, the_last_saved_run_wins,
};

/// Opens stores for the contract.
pub trait Harness: Send + Sync {
    /// A store without any data, apart from all stores opened before.
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// A store without any data, and the means to keep its records from becoming durable for a while.
    fn open_slow(&self) -> BoxFuture<'_, (Arc<dyn Store>, Arc<dyn Hold>)>;

    /// Closes the store, of which this is the only handle, and opens it again with what it kept.
    fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>>;
}

/// Keeps the records of a store on their way to the disk.
pub trait Hold: Send + Sync {
    /// From now on records do not become durable.
    fn hold(&self);

    /// Waits until a record is held.
    fn wait_until_held(&self);

    /// Lets all records become durable.
    fn release(&self);
}

/// Checks every obligation, one after another. Panics at the first that is not met.
pub async fn run_all(harness: &dyn Harness) {
    crate::__store_obligations!([run harness]);
}

/// Expands to one `#[test]` per obligation of a store. Takes an expression that makes a
/// [`Harness`].
#[macro_export]
macro_rules! store_contract_tests {
    ($harness:expr) => {
        $crate::__store_obligations!([tests $harness]);
    };
}

/// The list of obligations, in one place for both ways to run them.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_obligations {
    ($how:tt) => {
        $crate::__store_obligations_expand! {
            $how
            a_new_store_is_idle
            every_state_comes_back
            the_last_saved_run_wins
            retry_filters_come_back
            a_large_plan_comes_back_and_gives_way_to_a_small_one
            plan_pages_keep_their_order
            plan_pages_of_any_size_come_back
            plan_pages_are_replaced
            a_missing_plan_page_is_none
            dropping_plans_keeps_the_one_named
            the_last_record_of_a_pair_wins
            records_survive_reopening
            records_are_independent_of_each_other
            every_field_of_an_entry_comes_back
            entries_of_keeps_the_order_and_says_what_is_missing
            entries_of_many_products_are_all_found
            concurrent_writers_do_not_lose_writes
            pages_follow_the_bytes_of_ids
            a_page_begins_after_ids_that_do_not_exist
            a_page_has_at_most_its_limit
            a_page_stays_within_its_market
            markets_are_sorted_and_appear_once
            an_unsynced_record_is_not_shown_and_keeps_no_reader_waiting
            a_new_market_is_shown_once_it_is_durable
            clear_deletes_everything_and_sets_the_run
            clear_may_keep_the_prices
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_obligations_expand {
    ([tests $harness:expr] $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let harness = $harness;
                $crate::block_on($crate::store_contract::$name(&harness));
            }
        )*
    };
    ([run $harness:ident] $($name:ident)*) => {
        $( $crate::store_contract::$name($harness).await; )*
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::gate::lock;
    use std::sync::Mutex;

    /// Knows the store behind the trait object, to reopen it.
    #[derive(Default)]
    struct InMemory(Mutex<MemoryStore>);

    impl Harness for InMemory {
        fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
            let store = MemoryStore::new();
            *lock(&self.0) = store.clone();
            Box::pin(async { Arc::new(store) as Arc<dyn Store> })
        }

        fn open_slow(&self) -> BoxFuture<'_, (Arc<dyn Store>, Arc<dyn Hold>)> {
            let store = MemoryStore::new();
            *lock(&self.0) = store.clone();
            Box::pin(async { (Arc::new(store.clone()) as Arc<dyn Store>, Arc::new(store) as Arc<dyn Hold>) })
        }

        fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>> {
            drop(store);
            let store = lock(&self.0).reopen();
            Box::pin(async { Arc::new(store) as Arc<dyn Store> })
        }
    }

    crate::store_contract_tests!(InMemory::default());

    #[test]
    fn all_at_once() {
        crate::block_on(run_all(&InMemory::default()));
    }
}
