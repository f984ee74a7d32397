//! `ci`: what has to pass before a change lands, the quick checks first.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::{circles, deny, docs, layers, setup, sources, test, tidy, unused};

/// Checks that need no compiler.
pub(crate) fn check_source() -> Result<()> {
    shell::run(cargo(&["fmt", "--all", "--check"]))?;
    tidy::check()?;
    layers::check()?;
    let sources = sources::all()?;
    circles::check(&sources)?;
    unused::check(&sources)
}

pub(crate) fn run() -> Result<()> {
    check_source()?;
    setup::run();
    // Where it cannot be installed, setup says what is left out.
    if deny::is_installed() {
        deny::run(&[])?;
    }
    shell::run(cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps"]);
    rustdoc.env("RUSTDOCFLAGS", "--deny warnings");
    shell::run(rustdoc)?;
    docs::check()?;
    test::run_all()
}
