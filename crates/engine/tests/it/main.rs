//! The engine from outside: services on a store in memory, a scripted source and paused time. Each test is
//! one thing an operator relies on.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod budget;
mod catalogue;
mod clock_jumps;
mod commands;
mod crash;
mod credentials;
mod durability;
mod end_of_market_retry;
mod eta;
mod full_run;
mod guards;
pub(crate) mod harness;
mod model;
mod outage;
mod pacing;
mod panics;
mod parking;
mod readers;
mod retries;
mod retry_failed;
mod run_failures;
mod simulation;
mod storage_failures;
mod unreliable;
