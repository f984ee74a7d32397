//! What the tests of the dashboard need besides Rust: Chromium and the accessibility rules of axe-core. Where they cannot be
//! had, one sentence says what is left out; the tests leave themselves out.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::packages;
use crate::shell::{self, target};

const CHROMIUM: &str = "chromium";
/// A browser without fonts draws boxes.
const FONTS: &str = "fonts-dejavu-core";
/// Pinned, because new rules are new findings.
const AXE: &str = "axe-core@4.14.1";

/// Gets what is missing.
pub(crate) fn prepare() {
    if let Err(error) = chromium() {
        shell::say(&format!(
            "left out: the tests of the dashboard in a real browser, because {error:#}; `apt-get install {CHROMIUM}` \
             brings it on Debian"
        ));
        return;
    }
    if let Err(error) = axe() {
        shell::say(&format!(
            "left out: the test with the accessibility rules of axe-core, because {error:#}"
        ));
    }
}

fn chromium() -> Result<()> {
    packages::install(CHROMIUM, &[CHROMIUM, FONTS], "the tests of the dashboard")
}

fn axe() -> Result<()> {
    let folder = target().join("axe");
    let package = folder.join("node_modules/axe-core/package.json");
    if is_installed(&package) {
        return Ok(());
    }
    if !packages::answers("npm") {
        bail!("there is no npm to fetch them with");
    }
    std::fs::create_dir_all(&folder)?;
    let mut install = Command::new("npm");
    install.args([
        "install",
        "--silent",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
    ]);
    install.arg(&folder).arg(AXE).stdout(Stdio::null());
    shell::run(install)
}

/// Whether the pinned version is there.
fn is_installed(package: &Path) -> bool {
    let version = AXE.split('@').next_back().unwrap_or_default();
    std::fs::read_to_string(package).is_ok_and(|text| text.contains(&format!("\"version\": \"{version}\"")))
}
