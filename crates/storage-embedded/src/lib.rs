//! The store of a price cache over any embedded key-value database: one record per product, group commit on a thread of
//! its own, recovery that never touches the only copy, and what a doctor needs.
#![doc = include_str!("../README.md")]

mod backend;
mod error;
mod examine;
mod fallback_copy;
mod folder;
mod layout;
mod loader;
mod maintenance;
mod move_store;
mod open;
mod options;
mod panics;
mod reader;
mod rebuild;
mod reserve;
mod set_aside;
mod shared;
mod space;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod totals;
mod watermark;
mod writer;

pub use backend::{Backend, BackendSettings, Recovery, Table, Visit, WriteGroup};
pub use error::{OpenError, from_io};
pub use fallback_copy::fallback_copy_in;
pub use folder::{copy_folder, newest_database, sync_folder};
pub use move_store::{Moved, move_store};
pub use options::{
    COPY_BYTES_MAX_DEFAULT, COPY_INTERVAL_DEFAULT, EmbeddedOptions, FallbackCopyOptions,
    GROUP_RECORDS_MAX_DEFAULT, QUEUED_WRITES_MAX, RESERVE_BYTES_DEFAULT,
};
pub use store::EmbeddedStore;
