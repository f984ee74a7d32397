//! The backend on a storage in memory that fails, is killed and loses power at any of its operations, on damaged images, and
//! on files.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod crashes;
mod damage;
mod disk;
mod errors;
mod files;
mod moves;
mod operations;
mod workload;

price_cache_storage_embedded::embedded_store_tests!(price_cache_storage_redb::RedbDatabase);
