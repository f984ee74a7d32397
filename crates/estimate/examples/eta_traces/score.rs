//! How far off the estimators are on one trace.

use std::time::Duration;

use super::rivals::Rival;
use super::traces::{Shape, trace};

/// Estimates are judged at about so many products of a trace.
const JUDGED: usize = 120;

/// A single estimate counts as no more than this many times the whole.
const ERROR_MAX: f64 = 5.0;

/// The errors of all on one trace; the four rivals come first, the engine's own is the last.
#[derive(Clone, Copy, Default)]
pub(super) struct Score {
    /// Mean of |estimate - truth| / duration of the whole run.
    pub(super) of_whole: [f64; 5],
    /// Mean of |estimate - truth| / truth.
    pub(super) of_rest: [f64; 5],
    /// Share of the estimates whose range held the truth, in each third of the run.
    pub(super) coverage: [f64; 3],
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
            for (mean, third) in mean.coverage.iter_mut().zip(score.coverage) {
                *mean += third / scores.len() as f64;
            }
        }
        mean
    }

    /// Coverage over all thirds.
    pub(super) fn covered(&self) -> f64 {
        self.coverage.iter().sum::<f64>() / 3.0
    }
}

/// The mean over runs of one shape, one for each seed.
pub(super) fn mean_score(shape: Shape, seeds: impl Iterator<Item = u64>, count_max: usize) -> Score {
    Score::mean(&seeds.map(|seed| score(&trace(shape, seed, count_max))).collect::<Vec<_>>())
}

/// Runs every estimator over one trace.
fn score(durations: &[f64]) -> Score {
    let total: f64 = durations.iter().sum();
    let mut rest = total;
    let mut rivals = Rival::all();
    let mut pace = super::Pace::new();
    let mut sums = Score::default();
    let mut judged = [0.0; 3];
    for (index, &duration) in durations.iter().enumerate().take(durations.len() - 1) {
        rivals.iter_mut().for_each(|rival| rival.observe(duration));
        pace.observe(Duration::from_secs_f64(duration));
        rest -= duration;
        let remaining = durations.len() - index - 1;
        if index % (durations.len() / JUDGED).max(1) != 0 {
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
        let third = index * 3 / durations.len();
        sums.coverage[third] += f64::from(u8::from(range.contains(&rest)));
        judged[third] += 1.0;
    }
    let all: f64 = judged.iter().sum();
    sums.of_whole.iter_mut().chain(&mut sums.of_rest).for_each(|error| *error /= all);
    sums.coverage.iter_mut().zip(judged).for_each(|(covered, judged)| *covered /= judged);
    sums
}
