//! The engine of a price cache: walks every market and product of a run, one request at a time per
//! market, keeps what comes back, and can be stopped, killed and resumed at any moment.
//!
//! [`CacheService::open`] recovers what a store holds and starts the one task that owns the run; the
//! [`Handle`] it returns is how everyone else talks to it.
#![doc = include_str!("../README.md")]

mod audit;
mod caught;
mod core;
mod credentials;
mod error;
mod handle;
mod journal;
mod log_book;
mod market_queue;
mod market_walk;
mod options;
mod pacing;
mod parking;
mod planner;
mod product_fetch;
mod reader;
mod recovery;
mod repair;
mod retry;
mod retry_budget;
mod service;
mod session;
mod shell;
mod snapshot;

pub use audit::{Audit, AuditProblem, AuditedMarket, audit};
pub use error::{CommandError, OpenError};
pub use handle::{Accepted, Handle};
pub use journal::{
    Happening, JOURNAL_ENTRIES_MAX, Journal, JournalEntry, Settled, TRANSITIONS_KEPT_MAX, Transition,
};
pub use log_book::{CallLog, CallLogStats, LOGGED_CALLS_MAX, LoggedCall};
pub use options::{Options, PacingOptions, ParkingOptions, RetryOptions};
pub use pacing::PaceLimit;
pub use parking::ParkReason;
pub use price_cache_estimate::{Estimate, Pace};
pub use reader::{CacheReader, FailedProduct, FailedProductsCursor, MarketPrices};
pub use repair::{Remedy, forgotten, reopened};
pub use retry::{RetryPolicy, Tries};
pub use service::{CacheService, Ports};
pub use snapshot::{Activity, MarketSnapshot, OverallPace, Snapshot, WaitReason};
