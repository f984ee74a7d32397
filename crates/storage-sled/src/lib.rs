//! The store of a price cache on sled 0.34: one record per product, group commit on a thread of its own,
//! recovery from full disks, failed writes and damaged snapshots.
#![doc = include_str!("../README.md")]

mod chunks;
mod codec;
mod database;
mod error;
mod folder;
mod keys;
mod options;
mod panics;
mod reader;
mod reserve;
mod set_aside;
mod shared;
mod snapshots;
mod store;
mod verify;
mod writer;

pub use error::OpenError;
pub use options::{
    CACHE_BYTES_DEFAULT, GROUP_RECORDS_MAX_DEFAULT, QUEUED_WRITES_MAX, RESERVE_BYTES_DEFAULT, SledOptions,
};
pub use store::SledStore;
pub use verify::{PROBLEMS_MAX, Problem, RecordKey, Verification};
