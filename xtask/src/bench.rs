//! `bench`: builds the programs as they are released and measures them against each other.

use anyhow::Result;

use crate::shell::{self, cargo};

pub(crate) fn run(options: &[&str]) -> Result<()> {
    shell::run(cargo(&[
        "build",
        "--release",
        "--package",
        "price-cache",
        "--package",
        "price-cache-simulator",
        "--bins",
    ]))?;
    let mut bench = cargo(&["bench", "--package", "price-cache-tests", "--bench", "figures", "--"]);
    bench.args(options);
    shell::run(bench)
}
