//! `ci`: what has to pass before a change lands, the quick checks first.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::{circles, docs, layers, test, tidy};

/// Checks that need no compiler.
pub(crate) fn check_source() -> Result<()> {
    shell::run(cargo(&["fmt", "--all", "--check"]))?;
    tidy::check()?;
    layers::check()?;
    circles::check()
}

pub(crate) fn run() -> Result<()> {
    check_source()?;
    shell::run(cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps"]);
    rustdoc.env("RUSTDOCFLAGS", "--deny warnings");
    shell::run(rustdoc)?;
    docs::check()?;
    test::run()
}
