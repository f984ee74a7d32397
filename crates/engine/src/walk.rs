//! The room of the workers: they list the markets and products (`planner`), take the markets in their order
//! (`session`, `market_queue`), and fetch and record each product (`market_walk`, `product_fetch`).
//!
//! It may touch the source, the plan and the entries in the store, and `upstream`. It decides nothing about the
//! run: it reports to `run`.

pub(crate) mod activity;
mod caught;
mod market_job;
mod market_queue;
mod market_walk;
pub(crate) mod options;
mod planner;
mod product_fetch;
pub(crate) mod report;
pub(crate) mod reporter;
mod requester;
pub(crate) mod session;
pub(crate) mod upstream_access;
