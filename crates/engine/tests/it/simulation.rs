//! Whole runs under seeds: an upstream with weather, a disk that is slow, full or gone, operators that press
//! every button, catalogues that change, and a process that dies at any operation of its store. Everything
//! comes from the seed, so a failing one repeats exactly.
//!
//! `PRICE_CACHE_SEEDS` sets how many are tried and `PRICE_CACHE_SEED` the first (`cargo xtask simulate`).

mod observer;
mod scenario;
mod upstream;
mod world;

use std::panic::catch_unwind;

use self::scenario::Scenario;
use self::world::World;
use super::harness::from_environment;

/// Seeds that `cargo test` tries.
const SEEDS: u64 = 400;

/// Lives through the scenario of a seed; what was seen, and how many lives and requests it took.
fn simulate(seed: u64) -> world::Summary {
    fastrand::seed(seed);
    World::live_through(Scenario::of(seed))
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was simulated")]
fn whatever_befalls_it_a_run_keeps_every_promise_and_comes_to_its_end() {
    let first = from_environment("PRICE_CACHE_SEED", 0);
    let seeds = first..first + from_environment("PRICE_CACHE_SEEDS", SEEDS);
    let mut all = world::Summary::default();
    for seed in seeds.clone() {
        // What went wrong was printed when it panicked.
        let Ok(summary) = catch_unwind(|| simulate(seed)) else {
            panic!("`cargo xtask simulate 1 --seed {seed}` repeats this: {:#?}", Scenario::of(seed))
        };
        all.add(&summary);
    }
    println!(
        "{} seeds: {} lives, {} of them ended by a crash at an operation of the store; {} requests, {} states seen",
        seeds.end - seeds.start,
        all.lives,
        all.crashes,
        all.requests,
        all.states
    );
    // The scenarios are worth nothing if they do not lead into trouble.
    assert!(all.crashes > 0 && all.lives > all.crashes, "{all:?}");
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..20 {
        assert_eq!(simulate(seed), simulate(seed), "seed {seed}");
    }
}
