//! The store against the contract, against kills, and against what disks do.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "sled_store/contract.rs"]
mod contract;
