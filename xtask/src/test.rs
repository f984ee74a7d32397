//! `test`: builds the programs that the end-to-end tests start, then runs every test. `simulate`: whole runs under many
//! seeds.

use anyhow::{Context, Result, bail};

use crate::setup;
use crate::shell::{self, cargo};

pub(crate) fn run() -> Result<()> {
    setup::for_tests();
    run_all()
}

/// Builds and tests, on a machine that is set up.
pub(crate) fn run_all() -> Result<()> {
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    shell::run(cargo(&["test", "--workspace"]))?;
    // The same crashes on the other kind of store; all else does not depend on it.
    let mut crashes = cargo(&["test", "--package", "price-cache-tests", "--test", "it", "--"]);
    crashes.args(CRASHES).env("PRICE_CACHE_STORE", "sled");
    shell::run(crashes)
}

/// The end-to-end tests in which the store is killed, full, failing or left over.
const CRASHES: [&str; 5] =
    ["crash::", "disk_full::", "full_disk_starts::", "recovery_steps::", "shown_is_durable::"];

/// Seeds that `simulate` tries unless told otherwise.
const SIMULATED_SEEDS: &str = "10000";

pub(crate) fn simulate(options: &[&str]) -> Result<()> {
    let (count, first) = match options {
        [] => (SIMULATED_SEEDS, "0"),
        [count] => (*count, "0"),
        ["--seed", first] => (SIMULATED_SEEDS, *first),
        [count, "--seed", first] | ["--seed", first, count] => (*count, *first),
        _ => bail!("usage: cargo xtask simulate [SEEDS] [--seed FIRST]"),
    };
    for number in [count, first] {
        number.parse::<u64>().with_context(|| format!("{number:?} is not a number of seeds or a seed"))?;
    }
    let mut test = cargo(&["test", "--package", "price-cache-engine", "--test", "it", "--"]);
    test.args(["simulation::whatever", "--nocapture"]);
    test.env("PRICE_CACHE_SEEDS", count).env("PRICE_CACHE_SEED", first);
    shell::run(test)
}
