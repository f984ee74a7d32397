//! `ci`: what has to pass before a change lands, the quick checks first.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::{docs, layers, test, tidy};

pub(crate) fn run() -> Result<()> {
    shell::run(cargo(&["fmt", "--all", "--check"]))?;
    tidy::check()?;
    layers::check()?;
    shell::run(cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    rustdoc.env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private_intra_doc_links");
    shell::run(rustdoc)?;
    docs::check()?;
    test::run()
}
