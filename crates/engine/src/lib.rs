//! The engine of a price cache: walks every market and product of a run, one request at a time per
//! market, keeps what comes back, and can be stopped, killed and resumed at any moment.
//!
//! [`CacheService::open`] recovers what a store holds and starts the one task that owns the run; the
//! [`Handle`] it returns is how everyone else talks to it.
#![doc = include_str!("../README.md")]

mod error;
mod options;
mod run;
mod upstream;
mod view;
mod walk;

pub use error::{CommandError, OpenError};
pub use options::{Options, PacingOptions, ParkingOptions, RetryOptions};
pub use price_cache_estimate::{Estimate, Pace};
pub use run::accepted::Accepted;
pub use run::handle::Handle;
pub use run::service::{CacheService, Ports};
pub use upstream::circuit::ParkReason;
pub use upstream::machine::PaceLimit;
pub use upstream::wait::WaitReason;
pub use view::audit::{Audit, AuditProblem, AuditedMarket, audit};
pub use view::event_log::{
    EVENTS_KEPT_MAX, EngineEvent, EventLog, LoggedEvent, Settled, TRANSITIONS_KEPT_MAX, Transition,
};
pub use view::reader::{CacheReader, FailedProduct, FailedProductsCursor, MarketPrices};
pub use view::repair::{Remedy, forgotten, reopened};
pub use view::request_log::{LOGGED_REQUESTS_MAX, LoggedRequest, RequestLog, RequestLogStats};
pub use view::snapshot::{MarketSnapshot, OverallPace, Snapshot};
pub use walk::activity::Activity;
