//! What a product usually takes: several views of the past, weighed by the errors of their forecasts.

use super::record::{Judgement, Records};
use super::views::{SPANS, VIEWS};

/// Checkpoints kept; when there are more, every other one is dropped.
const CHECKPOINTS_MAX: usize = 64;

/// Products between the first checkpoints.
const STEP_FIRST: u64 = 2;

/// A difference from the longer average counts only as far as its square exceeds this multiple of what
/// noise makes of it.
const EVIDENCE_AVERAGE: f64 = 4.0;

/// The same for a slope, which costs more where it is wrong.
const EVIDENCE_SLOPE: f64 = 6.0;

/// The part of the square of a slope that is taken off for the variance between its three parts: a line is
/// even, a step or a wave is not.
const UNEVEN_PART: f64 = 0.7;

/// A slope goes on for this multiple of the past that it was seen in.
const SLOPE_GOES_ON: f64 = 3.0;

/// A line changes the level by no more than this factor.
const LINE_FACTOR_MAX: f64 = 1.7;

/// When the rest is this multiple of what was seen, half of the forecast is the mean of all.
const REST_TIMES_HALF_TRUSTED: f64 = 4.5;

/// How steeply the trust falls there.
const TRUST_EXPONENT: i32 = 4;

/// Variance of the logarithm of the level over a rest much longer than what was seen, where the past says
/// nothing of it: one run in three or so changes its level by half or more.
const SURPRISE_VARIANCE: f64 = 0.3;

/// The number of forecasts with a known error that weigh as much as that surprise.
const SURPRISE_FORECASTS: f64 = 2.0;

/// Forecasts over a longer time than any that could be judged are off by more in what long waits come to,
/// up to so many times.
const FARTHER_MAX: f64 = 4.0;

/// A level in seconds and its change per product.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct View {
    level: f32,
    slope: f32,
}

impl View {
    /// Mean of the next `ahead` products, when `seen` were seen. A slope is believed to go on for a few times
    /// the past it was seen in, and to level off by then.
    fn mean_over(self, ahead: f64, seen: f64) -> f64 {
        let level = f64::from(self.level);
        let sloping = ahead.min(seen * SLOPE_GOES_ON);
        let mean = level + f64::from(self.slope) * (sloping - sloping * sloping / (2.0 * ahead));
        mean.clamp(level / LINE_FACTOR_MAX, level * LINE_FACTOR_MAX).max(f64::MIN_POSITIVE)
    }
}

/// What was known at some time in the past.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Checkpoint {
    count: u64,
    sum: f64,
    /// Seconds of long waits until then, see [`super::excess`].
    waited: f64,
    views: [View; VIEWS],
}

/// The usual time of a product.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Level {
    count: u64,
    sum: f64,
    averages: [f64; SPANS.len()],
    /// Mean of half the squared relative differences of neighbours: noise without drift.
    noise: f64,
    latest: f64,
    step: u64,
    checkpoints: Vec<Checkpoint>,
    records: Records,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            averages: [0.0; SPANS.len()],
            noise: 0.0,
            latest: 0.0,
            step: STEP_FIRST,
            checkpoints: Vec::new(),
            records: Records::default(),
        }
    }
}

/// What the next products will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Forecast {
    /// Usual seconds per product.
    pub(super) mean: f64,
    /// Variance of its logarithm.
    pub(super) variance: f64,
    /// Mean squared error of foretelling the long waits of a product by their mean so far.
    pub(super) waits_variance: f64,
}

impl Level {
    /// Mean of all, in seconds; zero when there are none.
    pub(super) fn mean(&self) -> f64 {
        self.sum / (self.count.max(1)) as f64
    }

    /// One more usual duration, in seconds, and the seconds of long waits of all products until now.
    pub(super) fn observe(&mut self, duration: f64, waited: f64) {
        self.count += 1;
        self.sum += duration;
        let count = self.count as f64;
        for (average, span) in self.averages.iter_mut().zip(SPANS) {
            *average += (duration - *average) * (1.0 / count).max(1.0 / span);
        }
        if self.count > 1 {
            let apart = 2.0 * (duration - self.latest) / (duration + self.latest).max(f64::MIN_POSITIVE);
            self.noise += (apart * apart / 2.0 - self.noise) / (count - 1.0);
        }
        self.latest = duration;
        if self.count.is_multiple_of(self.step) {
            self.check(waited);
        }
    }

    /// Compares the forecast of every checkpoint with what came, and adds one.
    fn check(&mut self, waited: f64) {
        if self.checkpoints.len() == CHECKPOINTS_MAX {
            // Those that stay are at multiples of the new step.
            self.step *= 2;
            let step = self.step;
            self.checkpoints.retain(|point| point.count.is_multiple_of(step));
            self.records.double_step();
        }
        let mut records = self.records.begin(|steps| self.noise_over(steps * self.step as f64));
        for point in &self.checkpoints {
            let (seen, length) = (point.count as f64, (self.count - point.count) as f64);
            let truth = ((self.sum - point.sum) / length).max(f64::MIN_POSITIVE);
            let errors = point.views.map(|view| (view.mean_over(length, seen) / truth).ln());
            let waits_error = (waited - point.waited) / length - point.waited / seen;
            // Forecasts made when little was seen say little about those made now.
            records.add(length / self.step as f64, seen / self.count as f64, &errors, waits_error);
        }
        self.records = records.end();
        let views = self.views();
        self.checkpoints.push(Checkpoint { count: self.count, sum: self.sum, waited, views });
    }

    /// Variance that noise makes of a forecast over `length` products.
    fn noise_over(&self, length: f64) -> f64 {
        self.noise * (1.0 / self.count as f64 + 1.0 / length)
    }

    #[cfg(test)]
    pub(super) fn bytes_on_heap(&self) -> usize {
        self.checkpoints.capacity() * size_of::<Checkpoint>()
    }

    /// The views as of now.
    fn views(&self) -> [View; VIEWS] {
        let mut views = [View::default(); VIEWS];
        let count = self.count as f64;
        // Of an exponential average over a span, nearly twice as many durations have a say.
        let seen = |span: f64| count.min(2.0 * span - 1.0);
        let mut level = self.averages[SPANS.len() - 1];
        let mut longer = count;
        views[SPANS.len() - 1].level = level as f32;
        for index in (0..SPANS.len() - 1).rev() {
            let apart = self.averages[index] - level;
            let variance = self.noise * level * level * (1.0 / seen(SPANS[index]) - 1.0 / longer).max(0.0);
            level += apart * credit(apart * apart, variance * EVIDENCE_AVERAGE);
            longer = seen(SPANS[index]);
            views[index].level = level as f32;
        }
        views[SPANS.len()] = self.line(count / 2.0, views[SPANS.len() - 2]);
        views[SPANS.len() + 1] = self.line(0.0, views[SPANS.len() - 1]);
        views
    }

    /// The line through the means of the four quarters of what came after `from`, as far as it differs from
    /// `flat` by more than noise and rises, or falls, evenly.
    fn line(&self, from: f64, flat: View) -> View {
        let quarter = (self.count as f64 - from) / 4.0;
        if quarter < 2.0 {
            return flat;
        }
        let sums = [0.0, 1.0, 2.0, 3.0, 4.0].map(|quarters| self.sum_at(from + quarters * quarter));
        let mean = |index: usize| (sums[index + 1] - sums[index]) / quarter;
        let means = [mean(0), mean(1), mean(2), mean(3)];
        let rise = (means[3] - means[0]) / 3.0;
        let deviation = |index: usize| (means[index + 1] - means[index] - rise).powi(2);
        let uneven = (deviation(0) + deviation(1) + deviation(2)) / 2.0;
        let by_noise = self.noise * (means[0] * means[0] + means[3] * means[3]) / (9.0 * quarter);
        let credit = credit(rise * rise, by_noise * EVIDENCE_SLOPE + uneven * UNEVEN_PART);
        let level = (means[3] + rise / 2.0).max(means[3] / LINE_FACTOR_MAX);
        View {
            level: (f64::from(flat.level) + credit * (level - f64::from(flat.level))) as f32,
            slope: (credit * rise / quarter) as f32,
        }
    }

    /// What the first `count` products took, evenly between checkpoints.
    fn sum_at(&self, count: f64) -> f64 {
        let next = self.checkpoints.partition_point(|point| (point.count as f64) < count);
        let known = |point: &Checkpoint| (point.count as f64, point.sum);
        let (before, sum_before) =
            next.checked_sub(1).and_then(|last| self.checkpoints.get(last)).map_or((0.0, 0.0), known);
        let (after, sum_after) = self.checkpoints.get(next).map_or((self.count as f64, self.sum), known);
        let part = if after > before { (count - before) / (after - before) } else { 0.0 };
        sum_before + (sum_after - sum_before) * part
    }

    /// The mean of the next `ahead` products, after at least one.
    pub(super) fn forecast(&self, ahead: f64) -> Forecast {
        let count = self.count as f64;
        let judged = ahead.min(count / 2.0).max(1.0);
        let by_noise = self.noise_over(judged);
        let Judgement { weights, error, waits_error } =
            self.records.judge(judged / self.step as f64, by_noise);
        let logarithms = self.views().map(|view| view.mean_over(ahead, count).ln());
        let mean: f64 = weights.iter().zip(logarithms).map(|(weight, logarithm)| weight * logarithm).sum();
        // The less of the whole was seen, the likelier it is that what changes once will change back.
        let trust = 1.0 / (1.0 + (ahead / count / REST_TIMES_HALF_TRUSTED).powi(TRUST_EXPONENT));
        let lifetime = self.mean().max(f64::MIN_POSITIVE).ln();
        // How far the level wanders: at first what runs do in general, then what this one was seen to do.
        let wandered = (error - by_noise).max(0.0);
        let surprise = SURPRISE_VARIANCE * ahead / (ahead + count);
        let forecasts = (count / ahead).powi(2);
        let wanders =
            (SURPRISE_FORECASTS * surprise + forecasts * wandered) / (SURPRISE_FORECASTS + forecasts);
        Forecast {
            mean: (trust * mean + (1.0 - trust) * lifetime).exp(),
            variance: wanders + self.noise_over(ahead),
            waits_variance: waits_error * (ahead / judged).min(FARTHER_MAX),
        }
    }
}

/// How much of a difference to believe, from 0 to 1, given its square and the square noise could make.
fn credit(square: f64, noise: f64) -> f64 {
    if square > noise { 1.0 - noise / square } else { 0.0 }
}
