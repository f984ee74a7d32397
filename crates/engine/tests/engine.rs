//! The engine from outside: services on a store in memory, a scripted source and paused time. Each test is
//! one thing an operator relies on.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod engine {
    mod commands;
    mod doubtful;
    mod durability;
    mod full_run;
    pub(crate) mod harness;
    mod model;
    mod retries;
    mod run_failures;
}
