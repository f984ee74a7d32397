//! What a product usually takes: several views of the past, weighed by how well each has foretold.

/// Products the moving averages look back on; the last is the mean of all.
const SPANS: [f64; 5] = [8.0, 25.0, 100.0, 400.0, f64::INFINITY];

/// The views: the averages and two straight lines, through the second half and through all.
const VIEWS: usize = SPANS.len() + 2;

/// Checkpoints kept; when there are more, every other one is dropped.
const CHECKPOINTS_MAX: usize = 64;

/// Products between the first checkpoints.
const STEP_FIRST: u64 = 4;

/// A difference from the longer average counts only as far as its square exceeds so many times what
/// noise makes of it.
const EVIDENCE_AVERAGE: f64 = 4.0;

/// The same for a slope, which costs more where it is wrong.
const EVIDENCE_SLOPE: f64 = 4.0;

/// How sharply the better views are preferred.
const SHARPNESS: f64 = 6.0;

/// How fast a past forecast loses weight as its length differs from the one wanted.
const LENGTH_DECAY: f64 = 0.7;

/// A slope goes on for so many times the past it was seen in.
const SLOPE_GOES_ON: f64 = 2.0;

/// A line changes the level by no more than this factor.
const LINE_FACTOR_MAX: f64 = 3.0;

/// Squared error every view is taken to have made before any forecast could be judged.
const PRIOR_LOSS: f64 = 0.02;

/// A forecast over a longer time than any that could be judged is off by more, up to so many times.
const FARTHER_MAX: f64 = 4.0;

/// When the rest is so many times what was seen, half of the forecast is the mean of all.
const REST_TIMES_HALF_TRUSTED: f64 = 6.0;

/// Variance of the logarithm of the level over a rest much longer than what was seen, where nothing
/// points to a change so far.
const SURPRISE_VARIANCE: f64 = 0.01;

/// The squared error of a forecast in logarithms counts as no more than this.
const LOSS_MAX: f64 = 4.0;

/// A level in seconds and its change per product.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct View {
    level: f32,
    slope: f32,
}

impl View {
    /// Mean of the next `ahead` products, when `seen` were seen. A slope is believed to go on for as long
    /// as the past it was seen in, and to level off then.
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
            if self.checkpoints.len() == CHECKPOINTS_MAX {
                // Those that stay are at multiples of the new step.
                self.step *= 2;
                let step = self.step;
                self.checkpoints.retain(|point| point.count.is_multiple_of(step));
            }
            self.checkpoints.push(Checkpoint {
                count: self.count,
                sum: self.sum,
                waited,
                views: self.views(),
            });
        }
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

    /// The line through the means of the two halves of what came after `from`, as far as it differs from
    /// `flat` by more than noise.
    fn line(&self, from: f64, flat: View) -> View {
        let at = |count: f64| self.checkpoints.iter().find(|point| point.count as f64 >= count);
        let (start, start_sum) = if from == 0.0 {
            (0.0, 0.0)
        } else {
            let Some(point) = at(from) else { return flat };
            (point.count as f64, point.sum)
        };
        let end = self.count as f64;
        let Some(middle) = at(f64::midpoint(start, end)) else { return flat };
        let (first, second) = (middle.count as f64 - start, end - middle.count as f64);
        if first < 4.0 || second < 4.0 {
            return flat;
        }
        let first_mean = (middle.sum - start_sum) / first;
        let second_mean = (self.sum - middle.sum) / second;
        let apart = second_mean - first_mean;
        let variance = self.noise * (first_mean * first_mean / first + second_mean * second_mean / second);
        let credit = credit(apart * apart, variance * EVIDENCE_SLOPE);
        let slope = apart / ((end - start) / 2.0);
        let level = (second_mean + slope * second / 2.0).max(second_mean / LINE_FACTOR_MAX);
        View {
            level: (f64::from(flat.level) + credit * (level - f64::from(flat.level))) as f32,
            slope: (credit * slope) as f32,
        }
    }

    /// The mean of the next `ahead` products, after at least one; `waited` as in [`Self::observe`].
    pub(super) fn forecast(&self, ahead: f64, waited: f64) -> Forecast {
        let count = self.count as f64;
        let wanted = ahead.min(count * 0.5).max(1.0);
        let mut losses = [0.0; VIEWS];
        let mut weight_sum = 1e-9;
        let mut waits_loss = 0.0;
        for point in &self.checkpoints {
            let length = count - point.count as f64;
            if length < STEP_FIRST as f64 {
                continue;
            }
            let truth = ((self.sum - point.sum) / length).max(f64::MIN_POSITIVE);
            let weight = (-LENGTH_DECAY * (length / wanted).ln().abs()).exp();
            for (loss, view) in losses.iter_mut().zip(point.views) {
                let error = (view.mean_over(length, point.count as f64) / truth).ln();
                *loss += weight * (error * error).min(LOSS_MAX);
            }
            let waits_error = (waited - point.waited) / length - point.waited / point.count as f64;
            waits_loss += weight * waits_error * waits_error;
            weight_sum += weight;
        }
        let by_noise = self.noise * (1.0 / count + 1.0 / wanted);
        let floor = by_noise + PRIOR_LOSS / (1.0 + self.checkpoints.len() as f64);
        let (mut sum, mut mean, mut loss) = (0.0, 0.0, 0.0);
        for (view_loss, view) in losses.iter().zip(self.views()) {
            let view_loss = view_loss / weight_sum;
            let weight = (floor + view_loss).powf(-SHARPNESS);
            sum += weight;
            mean += weight * view.mean_over(ahead, count).ln();
            loss += weight * view_loss;
        }
        // Forecasts as long as the wanted one may not have been possible: the level wanders on.
        let farther = (ahead / wanted).min(FARTHER_MAX);
        let wandering = (loss / sum - by_noise).max(0.0);
        // The less of the whole was seen, the likelier it is that what changes once will change back.
        let trust = 1.0 / (1.0 + (ahead / count / REST_TIMES_HALF_TRUSTED).powi(3));
        let lifetime = (self.sum / count).max(f64::MIN_POSITIVE).ln();
        let mean = trust * mean / sum + (1.0 - trust) * lifetime;
        let surprise = SURPRISE_VARIANCE * ahead / (ahead + count);
        Forecast {
            mean: mean.exp(),
            variance: wandering * farther + surprise + self.noise * (1.0 / count + 1.0 / ahead),
            waits_variance: waits_loss / weight_sum * farther,
        }
    }
}

/// How much of a difference to believe, from 0 to 1, given its square and the square noise could make.
fn credit(square: f64, noise: f64) -> f64 {
    if square > noise { 1.0 - noise / square } else { 0.0 }
}
