//! Drives the state machine through simulated time: markets that ask, an upstream that answers.
#![expect(clippy::unwrap_used, reason = "tests")]

mod histories;
mod pace;
mod upstreams;
mod world;
