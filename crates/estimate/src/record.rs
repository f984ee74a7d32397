//! The errors of the forecasts of each view, apart for short and for long forecasts.

use super::views::VIEWS;

/// Lengths that are told apart, in steps between checkpoints: 1, 2 to 3, 4 to 7 and so on.
const LENGTHS: usize = 6;

/// How fast a past forecast loses weight as its length differs from the one wanted.
const LENGTH_DECAY: f64 = 2.0;

/// Checkpoints after which an error has faded: a view that was good once may not be any more.
const FADES_OVER: f64 = 5.0;

/// How sharply the better views are preferred.
const SHARPNESS: f64 = 2.0;

/// Squared errors that differ by less than this are alike, also where there is no noise.
const ALIKE: f64 = 1e-4;

/// The squared error of a forecast in logarithms counts as no more than this.
const ERROR_MAX: f64 = 4.0;

/// What forecasts of about one length were off by: weighted sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Record {
    weight: f64,
    /// Squared errors of the logarithm of each view.
    views: [f64; VIEWS],
    /// The same of all views together, as they were weighed then.
    together: f64,
    /// The same of the long waits of a product, in seconds squared.
    waits: f64,
}

impl Record {
    fn add(&mut self, other: &Self, factor: f64) {
        self.weight += factor * other.weight;
        for (mine, theirs) in self.views.iter_mut().zip(other.views) {
            *mine += factor * theirs;
        }
        self.together += factor * other.together;
        self.waits += factor * other.waits;
    }
}

/// What the past says about a forecast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement {
    /// How much to believe each view; their sum is one.
    pub(super) weights: [f64; VIEWS],
    /// Mean squared error of the logarithm of all views together.
    pub(super) error: f64,
    /// Mean squared error of the long waits of a product.
    pub(super) waits_error: f64,
}

/// The records, by length.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Records([Record; LENGTHS]);

impl Records {
    /// Steps are twice as long from now on.
    pub(super) fn double_step(&mut self) {
        let shortest = self.0[0];
        self.0.rotate_left(1);
        self.0[LENGTHS - 1] = Record::default();
        self.0[0].add(&shortest, 1.0);
    }

    /// Begins to add what one more checkpoint shows; `noise` is the variance noise makes of a forecast over
    /// so many steps.
    pub(super) fn begin(&self, noise: impl Fn(f64) -> f64) -> Adding {
        let weights =
            std::array::from_fn(|index| self.judge(middle_steps(index), noise(middle_steps(index))).weights);
        let faded = self.0.map(|record| {
            let mut faded = Record::default();
            faded.add(&record, 1.0 - 1.0 / FADES_OVER);
            faded
        });
        Adding { records: Self(faded), weights }
    }

    /// Returns the weights of the views for a forecast over a number of steps, with this variance of noise.
    pub(super) fn judge(&self, steps: f64, noise: f64) -> Judgement {
        let mut near = Record { weight: f64::MIN_POSITIVE, ..Record::default() };
        for (index, record) in self.0.iter().enumerate() {
            near.add(record, (-LENGTH_DECAY * (middle_steps(index) / steps).ln().abs()).exp());
        }
        let least = near.views.iter().copied().fold(f64::INFINITY, f64::min);
        // What all were off by alike says nothing against one of them; what noise makes of it, little.
        let scale = near.weight * (noise + ALIKE) / SHARPNESS;
        let mut weights = near.views.map(|error| (-(error - least) / scale).exp());
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Judgement { weights, error: near.together / near.weight, waits_error: near.waits / near.weight }
    }
}

/// Records that one checkpoint is being added to.
pub(super) struct Adding {
    records: Records,
    weights: [[f64; VIEWS]; LENGTHS],
}

impl Adding {
    /// Adds a forecast over a number of steps with its errors: logarithms for each view, seconds for long waits.
    pub(super) fn add(&mut self, steps: f64, weight: f64, views: &[f64; VIEWS], waits: f64) {
        let index = (steps.max(1.0).log2() as usize).min(LENGTHS - 1);
        let together: f64 = self.weights[index].iter().zip(views).map(|(weight, error)| weight * error).sum();
        let squared = |error: f64| (error * error).min(ERROR_MAX);
        let seen = Record {
            weight: 1.0,
            views: views.map(squared),
            together: squared(together),
            waits: waits * waits,
        };
        // There are the more forecasts of a length, the longer it is.
        self.records.0[index].add(&seen, weight / f64::from(1_u32 << index));
    }

    pub(super) fn end(self) -> Records {
        self.records
    }
}

/// The middle of the lengths of one record, in steps.
fn middle_steps(index: usize) -> f64 {
    1.5 * f64::from(1_u32 << index)
}
