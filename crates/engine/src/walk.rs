//! The room of the workers: they list the markets and products (`planner`), take the markets in their order
//! (`session`, `market_queue`), and fetch and record each product (`market_walk`, `product_fetch`).
//!
//! It may touch the source, the plan and the entries in the store, and `upstream`. It decides nothing about the
//! run: it reports to `run`.

pub(crate) mod activity;
pub(crate) mod caught;
pub(crate) mod market_queue;
pub(crate) mod market_walk;
pub(crate) mod planner;
pub(crate) mod product_fetch;
pub(crate) mod report;
pub(crate) mod session;
