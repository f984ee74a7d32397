//! How runs, plans and entries are stored, whatever the database: the keys of records, and values with a format
//! version and a checksum over key and value.
#![doc = include_str!("../README.md")]

mod entry;
pub mod keys;
mod plan;
mod run;
mod scalar;
mod seal;

pub use entry::{decode_entry, encode_entry};
pub use plan::{decode_plan_page, encode_plan_page};
pub use run::{decode_run, encode_run};
pub use seal::{DecodeError, FORMAT_VERSION};

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;
