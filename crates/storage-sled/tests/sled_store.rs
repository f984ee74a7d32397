//! The store against the contract, against kills, and against what disks do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "sled_store/contract.rs"]
mod contract;
#[path = "sled_store/damage.rs"]
mod damage;
#[path = "sled_store/full_disk.rs"]
mod full_disk;
#[path = "sled_store/harm.rs"]
mod harm;
#[path = "sled_store/kills.rs"]
mod kills;
#[path = "sled_store/sample.rs"]
mod sample;
#[path = "sled_store/set_aside.rs"]
mod set_aside;
