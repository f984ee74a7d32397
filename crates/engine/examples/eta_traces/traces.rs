//! Made-up runs: the time each product took, waits included, in seconds. The same seed makes the same run.

/// What every trace is called, in the order of the table.
pub(super) const NAMES: [&str; 15] = [
    "steady",
    "drift up",
    "drift down",
    "step up",
    "step down",
    "steps",
    "wave",
    "Retry-After in bursts",
    "Retry-After now and then",
    "heavy tail (Pareto 1.3)",
    "heavy tail (log-normal 1.5)",
    "outage",
    "outage early on",
    "cold after warm",
    "warm after cold",
];

/// Runs of other shapes, on which no constant of the estimator was chosen.
pub(super) const OTHER_NAMES: [&str; 14] = [
    "drift up, faster and faster",
    "drift down, slower and slower",
    "late step up",
    "late step down",
    "nine steps to and fro",
    "slow wave",
    "short bursts of Retry-After",
    "Retry-After at every 50th",
    "lighter tail (Pareto 1.8)",
    "lighter tail (log-normal 0.8)",
    "late outage",
    "cold start, then drift",
    "cold in the second half",
    "warm after three tenths",
];

/// The trace `name` of `count` products.
pub(super) fn trace(name: &str, seed: u64, count: usize) -> Vec<f64> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9).wrapping_add(17));
    let mut durations: Vec<f64> = (0..count)
        .map(|index| {
            let part = index as f64 / count as f64;
            match name {
                "drift up" => dice.around(0.1 + 0.4 * part),
                "drift down" => dice.around(0.5 - 0.4 * part),
                "step up" => dice.around(if part < 0.4 { 0.1 } else { 0.4 }),
                "step down" => dice.around(if part < 0.3 { 0.5 } else { 0.1 }),
                "steps" => dice.around([0.1, 0.4, 0.2, 0.6, 0.15][(part * 5.0) as usize]),
                "wave" => dice.around(0.3 + 0.2 * (part * 6.0 * std::f64::consts::TAU).sin()),
                "Retry-After in bursts" => {
                    let throttled = (index / 150) % 3 == 2 && dice.unit() < 0.08;
                    dice.around(0.1) + if throttled { 5.0 } else { 0.0 }
                }
                "Retry-After now and then" => {
                    let throttled = dice.unit() < 0.006;
                    dice.around(0.1) + if throttled { 10.0 } else { 0.0 }
                }
                "heavy tail (Pareto 1.3)" => 0.1 * dice.unit().powf(-1.0 / 1.3),
                "heavy tail (log-normal 1.5)" => 0.1 * (1.5 * dice.normal()).exp(),
                "cold after warm" => dice.around(if part < 0.25 { 0.02 } else { 0.3 }),
                "warm after cold" => dice.around(if part < 0.15 { 0.3 } else { 0.03 }),
                "drift up, faster and faster" => dice.around(0.2 + 0.8 * part * part),
                "drift down, slower and slower" => dice.around(0.6 * (-3.0 * part).exp()),
                "late step up" => dice.around(if part < 0.7 { 0.2 } else { 0.5 }),
                "late step down" => dice.around(if part < 0.6 { 0.4 } else { 0.15 }),
                "nine steps to and fro" => {
                    dice.around(if ((part * 9.0) as u32).is_multiple_of(2) { 0.1 } else { 0.3 })
                }
                "slow wave" => dice.around(0.3 + 0.15 * (part * 2.5 * std::f64::consts::TAU).sin()),
                "short bursts of Retry-After" => {
                    let throttled = (index / 60) % 5 == 3 && dice.unit() < 0.2;
                    dice.around(0.05) + if throttled { 3.0 } else { 0.0 }
                }
                "Retry-After at every 50th" => dice.around(0.05) + if index % 50 == 49 { 2.0 } else { 0.0 },
                "lighter tail (Pareto 1.8)" => 0.1 * dice.unit().powf(-1.0 / 1.8),
                "lighter tail (log-normal 0.8)" => 0.1 * (0.8 * dice.normal()).exp(),
                "cold start, then drift" => dice.around(if part < 0.05 { 0.8 } else { 0.1 + 0.1 * part }),
                "cold in the second half" => dice.around(if part < 0.5 { 0.05 } else { 0.2 }),
                "warm after three tenths" => dice.around(if part < 0.3 { 0.2 } else { 0.05 }),
                _ => dice.around(0.2),
            }
        })
        .collect();
    let outage = match name {
        "outage" => Some((0.4, 0.1 * count as f64)),
        "outage early on" => Some((0.1, 300.0)),
        "late outage" => Some((0.7, 0.05 * count as f64)),
        _ => None,
    };
    if let Some((part, seconds)) = outage
        && let Some(duration) = durations.get_mut((part * count as f64) as usize)
    {
        *duration += seconds;
    }
    durations
}

/// A generator of its own (SplitMix64), so that the figures stay the same whatever libraries do.
struct Dice(u64);

impl Dice {
    /// Evenly from above 0 to 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Gamma with the given mean and a quarter of it as deviation: 16 exponential parts.
    fn around(&mut self, mean: f64) -> f64 {
        let sum: f64 = (0..16).map(|_| -self.unit().ln()).sum();
        (mean * sum / 16.0).max(0.001)
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}
