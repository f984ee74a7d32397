//! One HTTP exchange: limits on its time and size, redirects, and what its failures mean.

mod charset;
mod client;
mod coding;
mod exchange;
mod quoted;
mod retry_after;
mod trouble;

pub(crate) use client::client;
pub(crate) use exchange::{Answer, Call, Exchanger, same_origin};
pub(crate) use quoted::{split_outside_quotes, unquoted};
pub(crate) use retry_after::{Refusal, retry_after};
pub(crate) use trouble::status_fault;
