//! The simulator over real connections: routes, pagination, faults, counting, and the digits of every price.

#![expect(clippy::unwrap_used, reason = "tests")]

mod client;
mod counting;
mod digits;
mod faults;
mod lifecycle;
mod odd_ids;
mod pagination;
mod prices;
mod program;
