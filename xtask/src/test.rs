//! `test`: builds the programs that the end-to-end tests start, then runs every test. `kills`: the test of
//! crashes at length.

use anyhow::{Context, Result};

use crate::shell::{self, cargo};

pub(crate) fn run() -> Result<()> {
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    shell::run(cargo(&["test", "--workspace"]))
}

pub(crate) fn kills(count: &str) -> Result<()> {
    let count: u32 = count.parse().with_context(|| format!("{count:?} is not a number of kills"))?;
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    let mut test = cargo(&["test", "--package", "price-cache-tests", "--", "kill", "--nocapture"]);
    test.env("PRICE_CACHE_KILLS", count.to_string());
    shell::run(test)
}
