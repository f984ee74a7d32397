//! What tests of a price cache need: a store in memory that fails and crashes on request, a source that
//! answers by script, a clock that a test sets, and the contract suite that every store passes.
//!
//! Depends on the domain and the standard library alone, so that it fits any runtime. Its functions
//! panic where a test is written wrongly.
#![doc = include_str!("../README.md")]
#![expect(clippy::panic, reason = "a test kit tells a failed test by a panic")]

mod block_on;
mod gate;
mod manual_clock;
mod memory_store;
mod scripted_source;
mod shorthand;
pub mod store_contract;

pub use block_on::block_on;
pub use manual_clock::ManualClock;
pub use memory_store::{CrashPoint, MemoryStore, Operation};
pub use scripted_source::{Call, DelayHook, ScriptedSource, default_price};
pub use shorthand::{market, price, product, quote};
