//! The JSON on the wire of a price cache, shared by the server and the command line.
//!
//! Field names and types are a promise to existing clients: every struct here has a test with literal JSON that
//! pins them. Times are RFC 3339 in UTC, rates and progress are percent (0-100), ids are any text.
//! A field that is unknown is `null`; only the fields documented as "left out" may be missing.

mod commands;
mod failed_products;
mod health;
mod logs;
mod ordered_map;
mod prices;
mod problem;
mod state;
mod status;
mod transitions;

pub use commands::{Accepted, ResetAnswer, ResetRequest, RetryFailedRequest};
pub use failed_products::{FailedProduct, FailedProductsPage};
pub use health::{Health, HealthStatus};
pub use logs::{LogEntry, LogMetadata, LogStats, Logs, LogsCleared};
pub use ordered_map::OrderedMap;
pub use prices::{LastError, MarketPrices, Markets, Price, PriceEntry, PricePage};
pub use problem::Problem;
pub use state::{RunStatus, StateDocument};
pub use status::{Analytics, MarketAnalytics, MarketState, MarketStatus, PaceLimit, Status};
pub use transitions::{Transition, Transitions};

/// A moment as it stands on the wire: RFC 3339 in UTC, for example `2026-11-23T15:34:44.120Z`.
pub type Timestamp = String;

/// What an id of a market or product consists of, as a regular expression: anything but control characters.
pub const ID_PATTERN: &str = r"^[^\u0000-\u001F\u007F-\u009F]+$";
