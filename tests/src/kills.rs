//! The self-test of the product with numbers for tests: from the environment, at length by `cargo xtask kills`.

use price_cache_selftest::{Profile, SelfTest};
use price_cache_simulator::Latency;

use crate::programs::Program;
use crate::scene::store_of_environment;

/// The self-test as the product does it, on the program of the sources.
///
/// # Errors
/// The program cannot be built.
pub fn of_seed(kills: u32, seed: u64) -> anyhow::Result<SelfTest> {
    Ok(SelfTest::new(Program::CommandLine.path()?, kills, seed))
}

/// A number from the environment.
pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// Small stores and several runs over each, most kills in the first moments of a start: as many as `PRICE_CACHE_KILLS` says,
/// or `kills`; with the seed of `PRICE_CACHE_SEED`, or any. The upstream answers at once.
///
/// # Errors
/// The program cannot be built.
pub fn starts_of_environment(kills: u32) -> anyhow::Result<SelfTest> {
    Ok(SelfTest { profile: Profile::Starts, ..of_environment(kills)? })
}

/// One walk: as many kills as `PRICE_CACHE_KILLS` says, or `kills`; with the seed of `PRICE_CACHE_SEED`, or any. The upstream answers
/// at once, and a run has at least 5,600 pairs and as many more as it takes to be killed that often.
///
/// # Errors
/// The program cannot be built.
pub fn of_environment(kills: u32) -> anyhow::Result<SelfTest> {
    let kills = variable("PRICE_CACHE_KILLS").and_then(|kills| u32::try_from(kills).ok()).unwrap_or(kills);
    let seed = variable("PRICE_CACHE_SEED").unwrap_or_else(|| fastrand::u64(..));
    Ok(SelfTest {
        profile: Profile::Walks,
        store: store_of_environment(),
        products_per_kill: 40,
        products_min: 700,
        latency: Latency::default(),
        ..of_seed(kills, seed)?
    })
}
