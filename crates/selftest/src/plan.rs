//! What becomes of one store: how large it is, how many runs go over it, how often and when it is killed.

use std::time::Duration;

use crate::options::SelfTest;

/// Pairs of a small store: those whose recovery is the most delicate, because their log is short.
const SMALL_PAIRS_MIN: u32 = 300;
const SMALL_PAIRS_MAX: u32 = 2_000;
/// Runs over a small store.
const RUNS_MAX: u32 = 10;
/// Kills of each run over a small store.
const KILLS_PER_RUN_MIN: u32 = 3;
const KILLS_PER_RUN_MAX: u32 = 16;
/// The first moments of a start, in which a store is opened and recovered.
const FIRST_MOMENTS: Duration = Duration::from_millis(30);
/// Kills during a start come up to this multiple of the last start-up time, so that its end is hit as well.
const START_UP_STRETCH: f64 = 1.2;

/// The plan of one store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Products of each market.
    pub(crate) products: u32,
    /// Runs over the store, one after another.
    pub(crate) runs: u32,
    /// Kills in all of them.
    pub(crate) kills: u32,
    /// Whether it is a small store.
    pub(crate) is_small: bool,
}

impl Plan {
    /// One run that lasts until it was killed so often.
    pub(crate) fn walk(test: &SelfTest, kills: u32) -> Self {
        let products = kills.saturating_mul(test.products_per_kill).max(test.products_min);
        Self { products, runs: 1, kills, is_small: false }
    }

    /// A small store, and the most kills that it gets.
    pub(crate) fn small(test: &SelfTest, kills_max: u32, random: &mut fastrand::Rng) -> Self {
        let pairs = random.u32(SMALL_PAIRS_MIN..=SMALL_PAIRS_MAX);
        let runs = random.u32(1..=RUNS_MAX).min(kills_max.div_ceil(KILLS_PER_RUN_MIN));
        let kills = (0..runs).map(|_| random.u32(KILLS_PER_RUN_MIN..=KILLS_PER_RUN_MAX)).sum();
        Self { products: (pairs / test.markets).max(1), runs, kills: kills_max.min(kills), is_small: true }
    }

    /// Returns how many kills the given run has, of those that are left.
    pub(crate) fn kills_of_run(&self, run: u32, left: u32) -> u32 {
        left / (self.runs - run).max(1)
    }

    /// Returns whether the next kill hits a server that is starting.
    pub(crate) fn next_is_starting(&self, random: &mut fastrand::Rng) -> bool {
        // The first kill of each run is another one, so that more than seven in ten of the others make seven in ten.
        if self.is_small { random.u32(..10) < 8 } else { random.u32(..4) == 0 }
    }

    /// Returns how long after the beginning of a start it is killed; `start_up` is what the last one took.
    pub(crate) fn moment(&self, start_up: Duration, random: &mut fastrand::Rng) -> Duration {
        let whole = start_up.mul_f64(START_UP_STRETCH);
        let is_early = self.is_small && random.u32(..10) < 8;
        let window = if is_early || whole.is_zero() { FIRST_MOMENTS } else { whole };
        window.mul_f64(random.f64())
    }

    /// Returns whether the store is examined after the next kill, before a server opens it again. Small stores are more
    /// often left to the next start, so that starts which were killed follow each other.
    pub(crate) fn is_examined(&self, random: &mut fastrand::Rng) -> bool {
        random.u32(..if self.is_small { 4 } else { 2 }) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_shared_out_over_the_runs_and_none_is_left() {
        let mut random = fastrand::Rng::with_seed(1);
        let test = SelfTest::new("price-cache".into(), 100, 1);
        for kills_max in [1, 2, 7, 100, 10_000] {
            for _ in 0..50 {
                let plan = Plan::small(&test, kills_max, &mut random);
                let mut left = plan.kills;
                for run in 0..plan.runs {
                    let kills = plan.kills_of_run(run, left);
                    assert!(kills > 0, "{plan:?}");
                    left -= kills;
                }
                assert_eq!(left, 0, "{plan:?}");
                assert!((1..=kills_max).contains(&plan.kills), "{plan:?}");
                let pairs = plan.products * test.markets;
                assert!((SMALL_PAIRS_MIN - test.markets..=SMALL_PAIRS_MAX).contains(&pairs), "{plan:?}");
            }
        }
    }

    #[test]
    fn most_kills_of_small_stores_hit_the_first_moments_of_a_start() {
        let mut random = fastrand::Rng::with_seed(2);
        let test = SelfTest::new("price-cache".into(), 100, 1);
        let plan = Plan::small(&test, 100, &mut random);
        let starting = (0..1_000).filter(|_| plan.next_is_starting(&mut random)).count();
        assert!((750..850).contains(&starting), "{starting}");
        let start_up = FIRST_MOMENTS * 4;
        let early = (0..1_000).filter(|_| plan.moment(start_up, &mut random) < FIRST_MOMENTS).count();
        assert!((800..900).contains(&early), "{early}");
    }
}
