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

pub use database::{FILE_NAME, RedbDatabase};
