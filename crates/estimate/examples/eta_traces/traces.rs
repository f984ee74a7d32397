//! Made-up runs: the time each product took, waits included, in seconds. Length, magnitude, noise and the
//! parameters of the shape are drawn; the same seed makes the same run.

/// How a run goes.
pub(super) type Shape = fn(&mut Dice, usize) -> Vec<f64>;

/// Every shape. Those up to "warm after cold" are what the aims speak of, the others are variants and mixtures.
pub(super) const SHAPES: [(&str, Shape); 24] = [
    ("steady", |dice, count| dice.run(count, |_| 1.0)),
    ("drift", drift),
    ("drift, bent", |dice, count| {
        let (factor, bend) = (dice.factor(1.5, 12.0), dice.log_between(0.4, 2.5));
        dice.run(count, |part| factor.powf(part.powf(bend)))
    }),
    ("one step", |dice, count| {
        let (factor, at) = (dice.factor(1.5, 8.0), dice.between(0.1, 0.7));
        dice.run(count, |part| if part < at { 1.0 } else { factor })
    }),
    ("several steps", |dice, count| {
        let levels = dice.between(3.0, 9.0) as usize;
        let steps: Vec<(f64, f64)> = (0..levels).map(|_| (dice.unit(), dice.log_between(0.4, 3.0))).collect();
        let latest = move |part: f64| {
            let begun = steps.iter().filter(|(at, _)| *at <= part);
            begun.max_by(|left, right| left.0.total_cmp(&right.0)).map_or(1.0, |(_, level)| *level)
        };
        dice.run(count, latest)
    }),
    ("wave", |dice, count| {
        let cycles = dice.log_between(3.0, 30.0);
        wave(dice, count, cycles)
    }),
    ("Retry-After in bursts", |dice, count| {
        let (wait, burst) = (dice.log_between(5.0, 200.0), dice.log_between(5.0, 200.0));
        let (period, share) = (burst * dice.log_between(2.0, 7.0), dice.log_between(0.03, 0.3));
        let phase = dice.unit() * period;
        let mut run = dice.run(count, |_| 1.0);
        for (index, duration) in run.iter_mut().enumerate() {
            if (index as f64 + phase) % period < burst && dice.unit() < share {
                *duration += wait;
            }
        }
        run
    }),
    ("Retry-After now and then", |dice, count| {
        let run = dice.run(count, |_| 1.0);
        retry_after(dice, run)
    }),
    ("heavy tail (Pareto)", |dice, count| {
        let exponent = dice.between(1.15, 2.2);
        (0..count).map(|_| dice.unit().powf(-1.0 / exponent)).collect()
    }),
    ("heavy tail (log-normal)", |dice, count| {
        let spread = dice.between(0.7, 2.0);
        (0..count).map(|_| (spread * dice.normal()).exp()).collect()
    }),
    ("outage", |dice, count| {
        let run = dice.run(count, |_| 1.0);
        outage(dice, run)
    }),
    ("cold after warm", |dice, count| {
        let (factor, at) = (dice.log_between(3.0, 30.0), dice.between(0.05, 0.6));
        dice.run(count, |part| if part < at { 1.0 } else { factor })
    }),
    ("warm after cold", |dice, count| {
        let (factor, at) = (dice.log_between(3.0, 30.0), dice.between(0.05, 0.6));
        dice.run(count, |part| if part < at { factor } else { 1.0 })
    }),
    ("to and fro", |dice, count| {
        let (stretches, factor) = (dice.between(5.0, 20.0), dice.log_between(1.5, 6.0));
        dice.run(count, |part| if ((part * stretches) as u32).is_multiple_of(2) { 1.0 } else { factor })
    }),
    ("slow wave", |dice, count| {
        let cycles = dice.between(0.6, 3.0);
        wave(dice, count, cycles)
    }),
    ("Retry-After at every nth", |dice, count| {
        let (every, wait) = (dice.log_between(10.0, 150.0) as usize, dice.log_between(5.0, 200.0));
        let mut run = dice.run(count, |_| 1.0);
        run.iter_mut().skip(every - 1).step_by(every).for_each(|duration| *duration += wait);
        run
    }),
    ("two speeds", |dice, count| {
        let (factor, share) = (dice.log_between(3.0, 30.0), dice.between(0.05, 0.5));
        let run = dice.run(count, |_| 1.0);
        run.into_iter()
            .map(|duration| if dice.unit() < share { factor * duration } else { duration })
            .collect()
    }),
    ("wandering", |dice, count| {
        let step = dice.between(0.3, 1.5) / (count as f64).sqrt();
        wandering(dice, count, 1.0, step)
    }),
    ("sluggish noise", |dice, count| {
        let (deviation, keep) = (dice.between(0.3, 0.8), 1.0 - 1.0 / dice.log_between(3.0, 100.0));
        wandering(dice, count, keep, deviation * (1.0_f64 - keep * keep).sqrt())
    }),
    ("late step", |dice, count| {
        let (factor, at) = (dice.factor(1.5, 6.0), dice.between(0.6, 0.9));
        dice.run(count, |part| if part < at { 1.0 } else { factor })
    }),
    ("two outages", |dice, count| {
        let run = dice.run(count, |_| 1.0);
        let run = outage(dice, run);
        outage(dice, run)
    }),
    ("drift and Retry-After", |dice, count| {
        let run = drift(dice, count);
        retry_after(dice, run)
    }),
    ("step and heavy tail", |dice, count| {
        let (factor, at) = (dice.factor(1.5, 8.0), dice.between(0.1, 0.7) * count as f64);
        let spread = dice.between(0.8, 1.6);
        let tail = |index| if (index as f64) < at { 1.0 } else { factor } * (spread * dice.normal()).exp();
        (0..count).map(tail).collect()
    }),
    ("wave and outage", |dice, count| {
        let cycles = dice.log_between(3.0, 30.0);
        let run = wave(dice, count, cycles);
        outage(dice, run)
    }),
];

/// So many of [`SHAPES`], the first ones, are those the aims speak of.
pub(super) const NAMED: usize = 13;

/// The fewest products of a run.
const COUNT_MIN: f64 = 50.0;

/// A run of that shape with at most so many products.
pub(super) fn trace(shape: Shape, seed: u64, count_max: usize) -> Vec<f64> {
    let mut dice = Dice { state: seed.wrapping_mul(0x9E37_79B9).wrapping_add(17), spread: 0.0 };
    let count = dice.log_between(COUNT_MIN, count_max as f64) as usize;
    let base = dice.log_between(0.005, 60.0);
    dice.spread = dice.log_between(0.03, 0.6);
    shape(&mut dice, count).into_iter().map(|duration| base * duration).collect()
}

fn drift(dice: &mut Dice, count: usize) -> Vec<f64> {
    let factor = dice.factor(1.5, 8.0);
    dice.run(count, |part| 1.0 + (factor - 1.0) * part)
}

fn wave(dice: &mut Dice, count: usize, cycles: f64) -> Vec<f64> {
    let (height, phase) = (dice.between(0.2, 0.8), dice.unit());
    dice.run(count, |part| 1.0 + height * ((part * cycles + phase) * std::f64::consts::TAU).sin())
}

/// The logarithm of the level takes a random step at each product and keeps a part of where it was.
fn wandering(dice: &mut Dice, count: usize, keep: f64, step: f64) -> Vec<f64> {
    let mut logarithm = 0.0;
    let mut run = dice.run(count, |_| 1.0);
    for duration in &mut run {
        logarithm = keep * logarithm + step * dice.normal();
        *duration *= f64::exp(logarithm);
    }
    run
}

/// Waits of one length in one run of two, of different length in the other.
fn retry_after(dice: &mut Dice, mut run: Vec<f64>) -> Vec<f64> {
    let (wait, share) = (dice.log_between(5.0, 200.0), dice.log_between(0.003, 0.1));
    let is_varied = dice.unit() < 0.5;
    for duration in &mut run {
        if dice.unit() < share {
            *duration += if is_varied { wait * 2.0 * dice.unit() } else { wait };
        }
    }
    run
}

fn outage(dice: &mut Dice, mut run: Vec<f64>) -> Vec<f64> {
    let at = (dice.between(0.02, 0.9) * run.len() as f64) as usize;
    let seconds = dice.log_between(0.03, 1.5) * run.len() as f64;
    run[at] += seconds;
    run
}

/// A generator of its own (SplitMix64), so that the figures stay the same whatever libraries do.
pub(super) struct Dice {
    state: u64,
    /// The deviation of a product's time relative to what is usual.
    spread: f64,
}

impl Dice {
    /// Evenly from above 0 to 1.
    fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn log_between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    /// A factor up or down.
    fn factor(&mut self, low: f64, high: f64) -> f64 {
        let factor = self.log_between(low, high);
        if self.unit() < 0.5 { factor } else { 1.0 / factor }
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Durations around a level that depends on the part of the run that is done.
    fn run(&mut self, count: usize, level: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut around = |level: f64| level * (self.spread * self.normal()).exp();
        (0..count).map(|index| around(level(index as f64 / count as f64))).collect()
    }
}
