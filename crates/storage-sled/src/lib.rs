//! The store of a price cache on sled 0.34: the database behind `price-cache-storage-embedded`.
#![doc = include_str!("../README.md")]

mod chunks;
mod database;
mod durable;
mod error;

use std::path::PathBuf;

use price_cache_storage_embedded::{EmbeddedOptions, EmbeddedStore};

pub use database::SledDatabase;

/// Default of the memory for pages, in bytes. Sled counts what a page takes in the log, not in memory: with
/// 64 MiB here, writing a million entries takes 245 MB of memory, with 8 MiB 65 MB at the same speed. Reading
/// them all after a kill takes 4 MB more for each MiB here, and is no faster.
pub const CACHE_BYTES_DEFAULT: u64 = 4 * 1024 * 1024;

/// A store on sled.
pub type SledStore = EmbeddedStore<SledDatabase>;

/// Returns the defaults for a store on sled in a folder.
pub fn options(path: impl Into<PathBuf>) -> EmbeddedOptions {
    EmbeddedOptions::new(path, CACHE_BYTES_DEFAULT)
}
