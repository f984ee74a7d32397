//! The room of the health of the upstream: when a request may be sent (`pacing`), when it is repeated (`retry`,
//! `retry_budget`), and when a market has to wait (`parking`) or our credentials are refused (`credentials`).
//!
//! It may touch neither the store nor the source nor the run: it is told results and answers questions.

pub(crate) mod credentials;
pub(crate) mod pacing;
pub(crate) mod parking;
pub(crate) mod retry;
pub(crate) mod retry_budget;
pub(crate) mod wait;
