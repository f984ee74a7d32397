//! `deny`: duplicates, licences and sources of all dependencies, by the rules in `deny.toml`. The advisories need a database
//! that a machine without access to it cannot have, so they are checked on request only, with `--advisories`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{self, cargo};

/// Pinned, because new rules are new findings.
const VERSION: &str = "0.20.2";

pub(crate) fn run(options: &[&str]) -> Result<()> {
    let checks: &[&str] = match options {
        [] => &["bans", "licenses", "sources"],
        ["--advisories"] => &["advisories"],
        _ => bail!("usage: cargo xtask deny [--advisories]"),
    };
    install()?;
    let mut check = Command::new(program());
    check.args(["--workspace", "check", "--hide-inclusion-graph"]).args(checks).current_dir(shell::root());
    shell::run(check)
}

/// Builds the pinned version of cargo-deny below the target folder, where it is missing.
pub(crate) fn install() -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    shell::say("building cargo-deny, once; it takes a few minutes");
    let mut install =
        cargo(&["install", "--quiet", "--locked", "cargo-deny", "--version", VERSION, "--root"]);
    install.arg(folder());
    let how = format!("`cargo install --locked cargo-deny --version {VERSION}` brings it");
    shell::run(install).with_context(|| format!("there is no cargo-deny {VERSION}; {how}"))
}

/// Tells whether the pinned version is there.
pub(crate) fn is_installed() -> bool {
    let answer = Command::new(program()).arg("--version").output();
    answer.is_ok_and(|answer| answer.stdout.trim_ascii_end() == format!("cargo-deny {VERSION}").as_bytes())
}

fn folder() -> PathBuf {
    shell::target().join("tools")
}

/// The program of our own, or the one that is on the path.
fn program() -> PathBuf {
    let own = folder().join("bin/cargo-deny");
    if own.exists() { own } else { PathBuf::from("cargo-deny") }
}
