//! `ci`: what has to pass before a change lands, the quick checks first.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::{docs, layers, test, tidy};

pub(crate) fn run() -> Result<()> {
    shell::run(cargo(&["fmt", "--all", "--check"]))?;
    tidy::check()?;
    layers::check()?;
    shell::run(cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps"]);
    rustdoc.env("RUSTDOCFLAGS", "--deny warnings");
    shell::run(rustdoc)?;
    docs::check()?;
    test::run()
}
