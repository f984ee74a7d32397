//! When a run will be done: the running mean of the time between completions. Pauses never enter it,
//! because only time under way is observed.

use std::time::Duration;

/// How long something is expected to take from now on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The expectation.
    pub expected: Duration,
    /// The truth is below this in about one of ten cases.
    pub low: Duration,
    /// The truth is above this in about one of ten cases.
    pub high: Duration,
}

impl Estimate {
    /// Nothing is left to do.
    pub const DONE: Self = Self { expected: Duration::ZERO, low: Duration::ZERO, high: Duration::ZERO };
}

/// The 90 % quantile of the normal distribution.
const NORMAL_QUANTILE_90: f64 = 1.2816;

/// The pace of one market, from the durations between its completions, waits included.
///
/// Mean and variance are kept by Welford's recurrence (Technometrics 4 (3), 1962), which is stable
/// and needs no history.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    count: u64,
    mean_seconds: f64,
    squares: f64,
}

impl Pace {
    /// Nothing observed.
    pub const fn new() -> Self {
        Self { count: 0, mean_seconds: 0.0, squares: 0.0 }
    }

    /// One more product was completed, `duration` after the one before.
    pub fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        self.count += 1;
        let before = seconds - self.mean_seconds;
        self.mean_seconds += before / self.count as f64;
        self.squares += before * (seconds - self.mean_seconds);
    }

    /// What was observed of several markets together.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0 {
            return self;
        }
        let (mine, theirs) = (self.count as f64, other.count as f64);
        let apart = other.mean_seconds - self.mean_seconds;
        Self {
            count,
            mean_seconds: (mine * self.mean_seconds + theirs * other.mean_seconds) / (mine + theirs),
            squares: self.squares + other.squares + apart * apart * mine * theirs / (mine + theirs),
        }
    }

    /// How long `remaining` more products will take one after another; `None` when nothing was observed
    /// yet. Finite and never negative.
    pub fn estimate(&self, remaining: u64) -> Option<Estimate> {
        if remaining == 0 {
            return Some(Estimate::DONE);
        }
        if self.count == 0 {
            return None;
        }
        let remaining = remaining as f64;
        let observed = self.count as f64;
        let variance =
            if self.count > 1 { self.squares / (observed - 1.0) } else { self.mean_seconds.powi(2) };
        // Two sources of doubt: the sum of what is still to come, and the mean itself.
        let deviation = (variance * remaining + variance / observed * remaining * remaining).sqrt();
        let expected = self.mean_seconds * remaining;
        let spread = NORMAL_QUANTILE_90 * deviation;
        Some(Estimate {
            expected: seconds(expected),
            low: seconds(expected - spread),
            high: seconds(expected + spread),
        })
    }
}

/// A duration that is never negative and at most some centuries.
fn seconds(seconds: f64) -> Duration {
    const SECONDS_MAX: f64 = 1e10;
    Duration::from_secs_f64(if seconds.is_nan() { SECONDS_MAX } else { seconds.clamp(0.0, SECONDS_MAX) })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::{prop, prop_assert, proptest};

    use super::*;

    #[test]
    fn nothing_is_said_before_anything_is_known_and_zero_is_certain() {
        assert_eq!(Pace::new().estimate(5), None);
        assert_eq!(Pace::new().estimate(0), Some(Estimate::DONE));
    }

    #[test]
    fn a_steady_pace_gives_the_exact_time() {
        let mut pace = Pace::new();
        (0..50).for_each(|_| pace.observe(Duration::from_millis(200)));
        let estimate = pace.estimate(300).unwrap();
        for part in [estimate.expected, estimate.low, estimate.high] {
            assert!((part.as_secs_f64() - 60.0).abs() < 1e-6);
        }
    }

    proptest! {
        #[test]
        fn estimates_are_ordered_and_merging_equals_observing_all(
            first in prop::collection::vec(0_u64..100_000, 0..40),
            second in prop::collection::vec(0_u64..100_000, 1..40),
            remaining in 1_u64..1_000_000,
        ) {
            let observed = |durations: &[u64]| {
                let mut pace = Pace::new();
                durations.iter().for_each(|millis| pace.observe(Duration::from_millis(*millis)));
                pace
            };
            let merged = observed(&first).merged(observed(&second)).estimate(remaining).unwrap();
            let whole = observed(&[first, second].concat()).estimate(remaining).unwrap();
            prop_assert!(whole.low <= whole.expected && whole.expected <= whole.high);
            for (one, other) in [(merged.expected, whole.expected), (merged.high, whole.high)] {
                let (one, other) = (one.as_secs_f64(), other.as_secs_f64());
                prop_assert!((one - other).abs() <= 1e-6 * (1.0 + other), "{one} {other}");
            }
        }
    }
}
