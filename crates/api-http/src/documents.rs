//! What the engine knows, as the JSON of the contract.

mod logs;
mod prices;
mod state;
mod status;
mod transitions;

use std::time::Duration;

use price_cache_domain::Timestamp;

pub(crate) use logs::log_entry;
pub(crate) use prices::{failed_product, market_prices, price_entry};
pub(crate) use state::{run_status, state_document};
pub use status::status_document;
pub(crate) use transitions::transition;

/// A time as RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let millis = at.as_millis();
    // Times beyond the calendar, as from a broken clock, become its nearest end.
    let end = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(end);
    format!("{at:.3}")
}

/// Whole milliseconds, rounded.
pub(crate) fn whole_millis(duration: Duration) -> u64 {
    let rounded = duration.saturating_add(Duration::from_micros(500));
    u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_milliseconds_and_never_fail() {
        assert_eq!(rfc3339(Timestamp::from_millis(1_764_000_000_007)), "2025-11-24T16:00:00.007Z");
        assert_eq!(rfc3339(Timestamp::from_millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Timestamp::from_millis(i64::MAX)), "9999-12-30T22:00:00.999Z");
        assert!(!rfc3339(Timestamp::from_millis(i64::MIN)).is_empty());
    }
}
