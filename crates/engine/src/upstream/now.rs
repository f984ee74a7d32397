//! The time of an observation, on both clocks.

use std::time::Instant;

use price_cache_domain::Timestamp;

/// Holds one moment as the monotonic clock and as the wall clock say it: waits follow the first, what people read
/// the second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) wall: Timestamp,
}
