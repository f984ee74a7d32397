//! Programs that some tests need and that no registry of Rust has: installed as root on Debian, elsewhere named.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::shell;

/// Makes sure that a program is there.
pub(crate) fn install(program: &str, packages: &[&str], purpose: &str) -> Result<()> {
    if answers(program) {
        return Ok(());
    }
    if !answers("apt-get") {
        bail!("there is no program {program} and no apt-get");
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        bail!("there is no program {program}, and only root can install it");
    }
    shell::say(&format!("installing {program} for {purpose}"));
    let installing = ["install", "-qq", "--yes"].iter().chain(packages).copied().collect();
    for arguments in [vec!["update", "-qq"], installing] {
        let mut install = Command::new("apt-get");
        install.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        shell::run(install)?;
    }
    Ok(())
}

/// Whether a program can be started.
pub(crate) fn answers(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// The program that writes down what a server asks of the system.
const TRACER: &str = "strace";

/// Gets it where it is missing.
pub(crate) fn prepare_tracer() {
    if let Err(error) = install(TRACER, &[TRACER], "the tests of power loss") {
        shell::say(&format!(
            "left out: the tests of power loss, because {error:#}; `apt-get install {TRACER}` brings it on Debian"
        ));
    }
}
