//! What an operator may set about the engine.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Settings of the engine. The defaults are polite and safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many markets are walked at a time. Within a market there is one request at a time, always.
    pub parallel_markets: NonZeroUsize,
    /// Writes per market that may be unsynced while the next request runs: the most requests that a kill repeats.
    pub max_unsynced_writes: NonZeroUsize,
    /// The shortest time from an answer to the next request of the same market.
    pub delay_between_requests: Duration,
    /// Whether a run that was interrupted by a kill or shutdown goes on by itself at start-up.
    pub resume_interrupted: bool,
    /// How fast requests may follow each other.
    pub pacing: PacingOptions,
    /// When and how failed requests are retried.
    pub retry: RetryOptions,
    /// When the circuit breaker of a market opens, and when it is probed.
    pub parking: ParkingOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel_markets: NonZeroUsize::MIN,
            max_unsynced_writes: NonZeroUsize::MIN.saturating_add(15),
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
    /// Whether the rate adapts: it falls when the upstream refuses requests or answers much more slowly than usual, and
    /// grows back when it does not.
    pub adaptive: bool,
}

impl Default for PacingOptions {
    fn default() -> Self {
        Self { upstream_interval_min: Duration::ZERO, market_interval_min: Duration::ZERO, adaptive: true }
    }
}

/// When the circuit breaker of a market opens (the market is parked), and when canary requests probe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkingOptions {
    /// Failed products in a row that open the circuit of a market; until then they are held back instead of being
    /// recorded as failed. 0 means never.
    pub failures_in_a_row: u32,
    /// The first canary request is sent after this; the delay doubles with each one that fails.
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

/// When and how failed requests are retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// Requests per product and visit at most, the first included. Rate-limited answers are not counted.
    pub attempts_max: NonZeroU32,
    /// The upper bound of the wait after the first failure; doubles with each further one.
    pub backoff_start: Duration,
    /// The upper bound that doubling stops at.
    pub backoff_max: Duration,
    /// The longest `Retry-After` that is honoured; a longer one is cut to this.
    pub retry_after_max: Duration,
    /// Give up on a product after being rate limited for this long.
    pub rate_limited_max: Duration,
    /// The retry budget of a run before its first success.
    pub budget_start: u32,
    /// The retry budget: retries per 100 successes.
    pub budget_percent: u32,
    /// Whether products that failed in a transient way are retried once at the end of their market.
    pub end_of_market_retry: bool,
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
            end_of_market_retry: true,
        }
    }
}
