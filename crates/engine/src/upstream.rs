//! The room of the health of the upstream: one pure state machine (`machine`) made of a rate limiter (`slots`), the
//! adaptive pace (`pace`), a circuit breaker per market (`circuit`), retries and their budget, and the attribution of
//! failures.
//!
//! It touches neither the store nor the source nor the run: it takes answers in and says what follows.

mod attribution;
pub(crate) mod circuit;
pub(crate) mod decision;
mod lane;
mod latency;
pub(crate) mod machine;
pub(crate) mod now;
pub(crate) mod observation;
mod pace;
mod retry;
mod retry_budget;
mod slots;
#[cfg(test)]
mod tests;
pub(crate) mod wait;
