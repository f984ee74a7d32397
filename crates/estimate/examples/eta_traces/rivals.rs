//! The plain estimators the engine's is measured against: each tells the seconds one product takes.

use std::collections::VecDeque;

/// One way to look at the durations so far.
pub(super) enum Rival {
    /// The mean of all.
    Lifetime { count: f64, sum: f64 },
    /// A moving average in which every duration weighs 0.3.
    Exponential { level: Option<f64> },
    /// A rate smoothed twice over 15 seconds, as progress bars show it.
    DoubleExponential { seconds: f64, once: f64, twice: f64 },
    /// The mean of the last 200.
    Window { last: VecDeque<f64> },
}

/// What the rivals are called, in the order of [`Rival::all`].
pub(super) const NAMES: [&str; 4] = ["lifetime mean", "EMA 0.3", "15 s double", "last 200"];

const WEIGHT: f64 = 0.3;
const SMOOTHED_SECONDS: f64 = 15.0;
const WINDOW: usize = 200;

impl Rival {
    /// All of them, nothing seen.
    pub(super) fn all() -> [Self; 4] {
        [
            Self::Lifetime { count: 0.0, sum: 0.0 },
            Self::Exponential { level: None },
            Self::DoubleExponential { seconds: 0.0, once: 0.0, twice: 0.0 },
            Self::Window { last: VecDeque::new() },
        ]
    }

    /// One more product took `duration` seconds.
    pub(super) fn observe(&mut self, duration: f64) {
        match self {
            Self::Lifetime { count, sum } => {
                *count += 1.0;
                *sum += duration;
            }
            Self::Exponential { level } => {
                *level = Some(level.map_or(duration, |level| level + WEIGHT * (duration - level)));
            }
            Self::DoubleExponential { seconds, once, twice } => {
                let weight = 1.0 - (-duration / SMOOTHED_SECONDS).exp();
                *seconds += duration;
                *once += weight * (1.0 / duration.max(1e-9) - *once);
                // Both start at zero and are scaled up by what they have not seen yet.
                let seen = 1.0 - (-*seconds / SMOOTHED_SECONDS).exp();
                *twice += weight * (*once / seen - *twice);
            }
            Self::Window { last } => {
                last.push_back(duration);
                if last.len() > WINDOW {
                    last.pop_front();
                }
            }
        }
    }

    /// Seconds for one product.
    pub(super) fn each(&self) -> f64 {
        match self {
            Self::Lifetime { count, sum } => sum / count,
            Self::Exponential { level } => level.unwrap_or(0.0),
            Self::DoubleExponential { seconds, twice, .. } => {
                let seen = 1.0 - (-seconds / SMOOTHED_SECONDS).exp();
                if *twice > 0.0 { seen / twice } else { 1e6 }
            }
            Self::Window { last } => last.iter().sum::<f64>() / last.len() as f64,
        }
    }
}
