//! The store on sled against the suites of embedded stores, and against what is special about sled.
#![expect(clippy::unwrap_used, reason = "tests")]

mod leftovers;

price_cache_storage_embedded::embedded_store_tests!(price_cache_storage_sled::SledDatabase);
