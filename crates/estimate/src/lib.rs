//! When a run will be done. Pauses never enter it, because only time under way is observed.
//!
//! Two accounts are kept of the durations between completions: their usual level, which drifts and
//! steps, and what single long waits have beyond it. How it works and how well: `docs/ETA.md`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

mod excess;
mod level;
mod record;
mod views;

use excess::Excess;
use level::Level;

/// How long something is expected to take from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Fewer durations than these say nothing.
const OBSERVED_MIN: u64 = 3;

/// The number of first durations that are counted again with each new one, so that a slow first connection is
/// seen for what it is once others have come.
const REPLAYED_MAX: u64 = 16;

/// The 90 % quantile of the normal distribution.
const NORMAL_QUANTILE_90: f64 = 1.2816;

/// A duration that is longer counts as so long, in seconds: a few centuries.
const SECONDS_MAX: f64 = 1e10;

/// The pace of one market, from the durations between its completions, waits included.
///
/// Its size does not grow with what was observed (below 6 KiB), and copies share it until one of them
/// observes more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace(Arc<State>);

#[derive(Clone, Debug, Default)]
struct State {
    count: u64,
    level: Level,
    excess: Excess,
    /// The latest estimate and what it was for: readers ask for the same one again and again.
    estimated: OnceLock<(u64, Estimate)>,
}

impl Pace {
    /// Nothing observed.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more product was completed, `duration` after the one before.
    pub fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64().min(SECONDS_MAX);
        let state = Arc::make_mut(&mut self.0);
        state.estimated = OnceLock::new();
        state.count += 1;
        let usual = state.excess.observe(seconds);
        let waited = state.excess.outlook().mean * state.count as f64;
        match state.excess.all() {
            Some(all) if state.count <= REPLAYED_MAX => {
                state.level = Level::default();
                for &duration in all {
                    state.level.observe(usual.part_of(f64::from(duration)), 0.0);
                }
            }
            _ => state.level.observe(usual.part_of(seconds), waited),
        }
    }

    /// Seconds per product so far, long waits included but for what was exceptional; `None` when fewer
    /// than three were observed.
    pub fn mean_seconds(&self) -> Option<f64> {
        let State { count, level, excess, .. } = &*self.0;
        (*count >= OBSERVED_MIN).then(|| level.mean() + excess.outlook().mean)
    }

    /// How long `remaining` more products will take one after another; `None` when fewer than three were
    /// observed, unless nothing remains. Finite and never negative.
    pub fn estimate(&self, remaining: u64) -> Option<Estimate> {
        if remaining == 0 {
            return Some(Estimate::DONE);
        }
        if self.0.count < OBSERVED_MIN {
            return None;
        }
        let (of, estimate) = *self.0.estimated.get_or_init(|| (remaining, self.0.estimate(remaining)));
        Some(if of == remaining { estimate } else { self.0.estimate(remaining) })
    }
}

impl PartialEq for State {
    /// What was observed; whether somebody asked for an estimate makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.excess == other.excess && self.level == other.level
    }
}

impl State {
    /// For at least one product, after at least one was observed.
    fn estimate(&self, remaining: u64) -> Estimate {
        let ahead = remaining as f64;
        let waits = self.excess.outlook();
        let observed = self.count as f64;
        let usual = self.level.forecast(ahead);
        let expected = (usual.mean + waits.mean) * ahead;
        // Long waits come at random: their number and lengths vary (a compound Poisson sum), and their
        // rate is known only from those seen. Where they come in bursts, past forecasts were off by more.
        let by_chance = waits.square * ahead * (1.0 + ahead / observed);
        let by_experience = usual.waits_variance * ahead * ahead;
        let variance = (usual.mean * ahead).powi(2) * usual.variance.exp_m1() + by_chance.max(by_experience);
        // A log-normal distribution around the expectation: never negative, skewed upwards.
        let relative = variance / (expected * expected);
        // Of next to nothing the square is zero.
        let relative = if relative.is_finite() { relative } else { 0.0 };
        let factor = (NORMAL_QUANTILE_90 * relative.ln_1p().sqrt()).exp();
        Estimate {
            expected: seconds(expected),
            low: seconds(expected / factor),
            high: seconds(expected * factor),
        }
    }
}

/// A duration that is never negative and at most some centuries.
pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(if seconds.is_nan() { SECONDS_MAX } else { seconds.clamp(0.0, SECONDS_MAX) })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::{prop, prop_assert, proptest};

    use super::*;

    fn observed(seconds: impl IntoIterator<Item = f64>) -> Pace {
        let mut pace = Pace::new();
        seconds.into_iter().for_each(|seconds| pace.observe(Duration::from_secs_f64(seconds)));
        pace
    }

    fn expected_s(pace: &Pace, remaining: u64) -> f64 {
        pace.estimate(remaining).unwrap().expected.as_secs_f64()
    }

    #[test]
    fn nothing_is_said_before_three_were_observed_and_zero_is_certain() {
        assert_eq!(observed([1.0, 1.0]).estimate(5), None);
        assert!(observed([1.0; 3]).estimate(5).is_some());
        assert_eq!(Pace::new().estimate(0), Some(Estimate::DONE));
    }

    #[test]
    fn a_steady_pace_gives_the_exact_time_in_a_range_that_narrows() {
        let mut factor_before = 3.0;
        for (seen, remaining) in [(50, 300_u64), (175, 175), (300, 50), (349, 1)] {
            let Estimate { expected, low, high } = observed(vec![0.2; seen]).estimate(remaining).unwrap();
            assert!((expected.as_secs_f64() - 0.2 * remaining as f64).abs() < 1e-3, "{expected:?}");
            let factor = high.as_secs_f64() / expected.as_secs_f64();
            assert!(
                low < expected && factor > 1.0 && factor < factor_before,
                "{remaining}: {low:?} {high:?}"
            );
            factor_before = factor;
        }
        assert!(factor_before < 1.02, "{factor_before}");
    }

    #[test]
    fn one_outage_does_not_move_the_estimate() {
        for at in [0, 1, 5, 40, 99] {
            let pace = observed((0..100).map(|index| if index == at { 3_600.0 } else { 0.5 }));
            assert!((expected_s(&pace, 200) - 100.0).abs() < 2.0, "at {at}: {:?}", pace.estimate(200));
        }
    }

    #[test]
    fn waits_that_come_again_and_again_are_counted_in() {
        let pace = observed((0..400).map(|index| if index % 20 == 10 { 10.5 } else { 0.5 }));
        assert!((expected_s(&pace, 1_000) / 1_000.0 - 1.0).abs() < 0.1, "{:?}", pace.estimate(1_000));
    }

    #[test]
    fn a_new_level_is_taken_up_soon() {
        let pace = observed((0..400).map(|index| if index < 300 { 0.1 } else { 1.0 }));
        assert!(expected_s(&pace, 300) > 250.0, "{:?}", pace.estimate(300));
    }

    #[test]
    fn its_size_does_not_grow_and_copies_share_it() {
        let pace = observed((0..20_000).map(|index| f64::from(index % 7)));
        let copy = pace.clone();
        assert!(Arc::ptr_eq(&pace.0, &copy.0));
        assert!(size_of::<State>() + pace.0.level.bytes_on_heap() < 8 * 1_024);
    }

    #[test]
    fn asking_changes_nothing() {
        let pace = observed([0.1, 0.4, 0.2, 0.3]);
        let asked = observed([0.1, 0.4, 0.2, 0.3]);
        let of_seven = asked.estimate(7);
        let of_nine = asked.estimate(9);
        assert_eq!(asked, pace);
        assert_eq!((pace.estimate(9), pace.estimate(7)), (of_nine, of_seven));
    }

    proptest! {
        #[test]
        fn estimates_are_ordered(
            millis in prop::collection::vec(0_u64..100_000_000, 3..200),
            remaining in 1_u64..1_000_000,
        ) {
            let estimate = observed(millis.iter().map(|millis| *millis as f64 / 1e3)).estimate(remaining).unwrap();
            prop_assert!(estimate.low <= estimate.expected && estimate.expected <= estimate.high);
        }
    }
}
