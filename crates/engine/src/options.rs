//! What an operator may set about the engine.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Settings of the engine. The defaults are polite and safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many markets are walked at a time. Within a market there is one request at a time, always.
    pub parallel_markets: NonZeroUsize,
    /// Records per market that may be on their way to the disk while the next request runs: what a kill
    /// may cost in repeated requests.
    pub undurable_records_max: NonZeroUsize,
    /// The shortest time from an answer to the next request of the same market.
    pub delay_between_requests: Duration,
    /// Whether a run that was interrupted by a kill or shutdown goes on by itself at start-up.
    pub resume_interrupted: bool,
    /// How fast requests may follow each other.
    pub pacing: PacingOptions,
    /// When and how failed requests are repeated.
    pub retry: RetryOptions,
    /// When a market is set aside because the upstream is unwell, and tried again.
    pub parking: ParkingOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel_markets: NonZeroUsize::MIN,
            undurable_records_max: NonZeroUsize::MIN.saturating_add(15),
            delay_between_requests: Duration::ZERO,
            resume_interrupted: true,
            pacing: PacingOptions::default(),
            retry: RetryOptions::default(),
            parking: ParkingOptions::default(),
        }
    }
}

/// How fast requests may follow each other, lists included. Each request takes its turn after the one before
/// it; what was missed is not made up for, so that no burst is ever sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacingOptions {
    /// The shortest time between two requests of all markets together, from one to the next: the inverse of
    /// the requests per second. Zero means no limit.
    pub upstream_interval_min: Duration,
    /// The same for the requests of one market.
    pub market_interval_min: Duration,
    /// Whether the pace falls when the upstream refuses requests as too many or answers much more slowly than
    /// usual, and is earned back when it does not.
    pub adaptive: bool,
}

impl Default for PacingOptions {
    fn default() -> Self {
        Self { upstream_interval_min: Duration::ZERO, market_interval_min: Duration::ZERO, adaptive: true }
    }
}

/// When a market is set aside because the upstream is unwell, and tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkingOptions {
    /// So many failed products in a row park a market; as many are held back meanwhile instead of being
    /// recorded as failed. 0 means never.
    pub failures_in_a_row: u32,
    /// The first probe comes after this; the delay doubles with each one that fails.
    pub probe_delay_start: Duration,
    /// The longest delay that doubling leads to.
    pub probe_delay_max: Duration,
}

impl Default for ParkingOptions {
    fn default() -> Self {
        Self {
            failures_in_a_row: 10,
            probe_delay_start: Duration::from_secs(5),
            probe_delay_max: Duration::from_secs(300),
        }
    }
}

/// When and how failed requests are repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// Requests per product and visit at most, the first included. An answer that only asks to come
    /// later is not counted.
    pub attempts_max: NonZeroU32,
    /// The upper bound of the wait after the first failure; doubles with each further one.
    pub backoff_start: Duration,
    /// The upper bound that doubling stops at.
    pub backoff_max: Duration,
    /// The longest `Retry-After` that is honoured; a longer one is cut to this.
    pub retry_after_max: Duration,
    /// How long a product is tried while the upstream only asks to come later.
    pub rate_limited_max: Duration,
    /// Retries that a run may spend before any product came.
    pub budget_start: u32,
    /// Retries that 100 products which came pay for: in an outage, so much more load at most.
    pub budget_percent: u32,
    /// Whether the failed products of a market are tried once more at its end.
    pub second_pass: bool,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts_max: NonZeroU32::MIN.saturating_add(2),
            backoff_start: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            retry_after_max: Duration::from_secs(60),
            rate_limited_max: Duration::from_secs(300),
            budget_start: 20,
            budget_percent: 10,
            second_pass: true,
        }
    }
}
