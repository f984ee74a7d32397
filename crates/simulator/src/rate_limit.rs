//! A limit on requests for prices, as many APIs have one: a bucket of tokens that fills at a steady rate.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many requests for prices are answered; the others get 429 with `Retry-After: 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests per second in the long run.
    pub per_second: f64,
    /// Requests that are answered at once after a pause.
    pub burst: f64,
}

impl RateLimit {
    /// Creates a limit of requests per second, and as many at once.
    #[must_use]
    pub const fn per_second(per_second: f64) -> Self {
        Self { per_second, burst: per_second.max(1.0) }
    }
}

/// The bucket of a limit.
pub(crate) struct Bucket {
    limit: RateLimit,
    /// What was in it, and when.
    tokens: Mutex<(f64, Instant)>,
}

impl Bucket {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, tokens: Mutex::new((limit.burst, Instant::now())) }
    }

    /// Whether a request at this moment is answered.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        let mut state = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = *state;
        let earned = now.saturating_duration_since(since).as_secs_f64() * self.limit.per_second;
        let tokens = (tokens + earned).min(self.limit.burst);
        let is_admitted = tokens >= 1.0;
        *state = (if is_admitted { tokens - 1.0 } else { tokens }, now);
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let bucket = Bucket::new(RateLimit { per_second: 10.0, burst: 3.0 });
        let begun = Instant::now();
        let admitted = |from_ms: u64, to_ms: u64| {
            let times = (from_ms..to_ms).step_by(10).map(|ms| begun + Duration::from_millis(ms));
            times.filter(|at| bucket.admits(*at)).count()
        };
        assert_eq!(admitted(10, 50), 3);
        assert_eq!(admitted(50, 1_050), 10);
        assert_eq!(admitted(9_000, 9_050), 3);
    }
}
