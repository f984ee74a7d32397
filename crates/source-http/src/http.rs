//! One HTTP exchange: limits on its time and size, redirects, and what its failures mean.

mod client;
mod exchange;
mod retry_after;
mod trouble;

pub(crate) use client::client;
pub(crate) use exchange::{Answer, Call, Exchanger, same_origin};
pub(crate) use retry_after::retry_after;
pub(crate) use trouble::status_fault;
