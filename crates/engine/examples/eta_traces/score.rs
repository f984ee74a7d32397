//! How far off the estimators are on one trace.

use std::time::Duration;

use super::rivals::Rival;
use super::traces;

/// Estimates are judged at every so many products.
const STRIDE: usize = 9;

/// A single estimate counts as no more than this many times the whole.
const ERROR_MAX: f64 = 5.0;

/// The errors of all on one trace; the four rivals come first, the engine's own is the last.
#[derive(Clone, Copy, Default)]
pub(super) struct Score {
    /// Mean of |estimate - truth| / duration of the whole run.
    pub(super) of_whole: [f64; 5],
    /// Mean of |estimate - truth| / truth.
    pub(super) of_rest: [f64; 5],
    /// Share of the estimates whose range held the truth.
    pub(super) coverage: f64,
}

impl Score {
    /// How the engine's error compares with the least of the rivals', for either measure.
    pub(super) fn against_best(errors: &[f64; 5]) -> f64 {
        errors[4] / errors[..4].iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The mean of several.
    pub(super) fn mean(scores: &[Self]) -> Self {
        let mut mean = Self::default();
        for score in scores {
            for index in 0..5 {
                mean.of_whole[index] += score.of_whole[index] / scores.len() as f64;
                mean.of_rest[index] += score.of_rest[index] / scores.len() as f64;
            }
            mean.coverage += score.coverage / scores.len() as f64;
        }
        mean
    }
}

/// Runs every estimator over one trace.
pub(super) fn score(name: &str, seed: u64, count: usize) -> Score {
    let durations = traces::trace(name, seed, count);
    let total: f64 = durations.iter().sum();
    let mut rest = total;
    let mut rivals = Rival::all();
    let mut pace = super::Pace::new();
    let mut sums = Score::default();
    let mut judged = 0.0;
    for (index, &duration) in durations.iter().enumerate().take(count - 1) {
        rivals.iter_mut().for_each(|rival| rival.observe(duration));
        pace.observe(Duration::from_secs_f64(duration));
        rest -= duration;
        let remaining = count - index - 1;
        if index % STRIDE != 0 {
            continue;
        }
        let Some(estimate) = pace.estimate(remaining as u64) else { continue };
        let mut guesses = [0.0; 5];
        for (guess, rival) in guesses.iter_mut().zip(&rivals) {
            *guess = rival.each() * remaining as f64;
        }
        guesses[4] = estimate.expected.as_secs_f64();
        for (index, guess) in guesses.iter().enumerate() {
            sums.of_whole[index] += ((guess - rest).abs() / total).min(ERROR_MAX);
            sums.of_rest[index] += ((guess - rest).abs() / rest).min(ERROR_MAX);
        }
        let range = estimate.low.as_secs_f64()..=estimate.high.as_secs_f64();
        sums.coverage += f64::from(u8::from(range.contains(&rest)));
        judged += 1.0;
    }
    for index in 0..5 {
        sums.of_whole[index] /= judged;
        sums.of_rest[index] /= judged;
    }
    sums.coverage /= judged;
    sums
}
