//! `setup`: installs what tests and checks need besides Rust. Where something cannot be had, one sentence says what is left out
//! and how to get it.

use crate::shell;
use crate::{browser, deny, packages};

/// Installs everything.
pub(crate) fn run() {
    for_tests();
    if let Err(error) = deny::install() {
        shell::say(&format!("left out: the check of duplicates and licences, because {error:#}"));
    }
}

/// Installs what the tests need.
pub(crate) fn for_tests() {
    shell::say("setup: making sure that everything is there that the tests need besides Rust");
    browser::prepare();
    packages::prepare_tracer();
}
