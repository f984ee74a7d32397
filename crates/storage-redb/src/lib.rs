//! The [redb](https://docs.rs/redb/4) backend of the embedded store: one file, one transaction and one sync per group.
//!
//! The folder, its lock, the queue of writes, the codec of the records and recovery belong to the embedded store; this crate
//! maps its port to redb, and decides how the tables are laid out so that small groups write few pages (see `tables`).

mod database;
mod error;
mod group;
mod overlay;
mod snapshot;
mod tables;

use std::path::PathBuf;
use std::time::Duration;

use price_cache_storage_embedded::{EmbeddedOptions, EmbeddedStore};

pub use database::{FILE_NAME, RedbDatabase};

/// Default of the memory for pages, in bytes.
pub const CACHE_BYTES_DEFAULT: u64 = 16 * 1024 * 1024;
/// Default of the longest that a record waits for others. A commit writes five to six pages of 4 KiB whatever the number of
/// records, so that the polite walk of some ten products per second writes a third of what single records would.
pub const SYNC_INTERVAL_DEFAULT: Duration = Duration::from_millis(200);

/// A store on redb.
pub type RedbStore = EmbeddedStore<RedbDatabase>;

/// Returns the defaults for a store on redb in a folder.
pub fn options(path: impl Into<PathBuf>) -> EmbeddedOptions {
    EmbeddedOptions {
        sync_interval: SYNC_INTERVAL_DEFAULT,
        ..EmbeddedOptions::new(path, CACHE_BYTES_DEFAULT)
    }
}
