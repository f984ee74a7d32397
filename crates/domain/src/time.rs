//! A point in wall-clock time. The domain never reads a clock; times come in as arguments.

use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z. May be negative for times before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it, as when a clock was set back.
    pub fn since(self, earlier: Self) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0)).map_or(Duration::ZERO, Duration::from_millis)
    }

    /// This time plus `duration`, in whole milliseconds, stopping at the largest time there is.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_gives_no_negative_duration() {
        let earlier = Timestamp::from_millis(5_000);
        assert_eq!(Timestamp::from_millis(4_000).since(earlier), Duration::ZERO);
        assert_eq!(Timestamp::from_millis(7_000).since(earlier), Duration::from_secs(2));
        assert_eq!(Timestamp::from_millis(i64::MIN).since(Timestamp::from_millis(i64::MAX)), Duration::ZERO);
    }

    #[test]
    fn adding_stops_at_the_largest_time() {
        assert_eq!(
            Timestamp::from_millis(1).plus(Duration::from_millis(u64::MAX)),
            Timestamp::from_millis(i64::MAX)
        );
    }
}
