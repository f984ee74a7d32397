//! Where the real programs are; they are built once where a test run did not build them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, anyhow, ensure};

/// The programs of the package `price-cache`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// `price-cache`.
    CommandLine,
    /// `price-cache-server`.
    Server,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::CommandLine => "price-cache",
            Self::Server => "price-cache-server",
        }
    }

    /// Where it is, in the state of the sources.
    pub(crate) fn path(self) -> anyhow::Result<PathBuf> {
        static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let folder = FOLDER.get_or_init(|| folder().map_err(|error| format!("{error:#}")));
        let folder = folder.as_ref().map_err(|error| anyhow!("{error}"))?;
        Ok(folder.join(self.name()))
    }
}

/// A place below the folder that cargo builds to: three levels above a test.
///
/// # Errors
/// The test is somewhere else.
pub fn below_target(path: &str) -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe().context("the test does not know where it is")?;
    Ok(executable.ancestors().nth(3).context("the test is in no folder of cargo")?.join(path))
}

/// The folder of the programs. Cargo builds the tests of a package but not the programs of another one, so they
/// are built here: in a moment where nothing changed, and never an old one where something did.
fn folder() -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe().context("the test does not know where it is")?;
    let beside = executable.parent().context("the test is in no folder")?;
    let is_test = beside.file_name().is_some_and(|name| name == "deps");
    let folder = if is_test { beside.parent().context("deps is in no folder")? } else { beside };
    if std::env::var_os("PRICE_CACHE_PROGRAMS_BUILT").is_none() {
        build(folder)?;
    }
    for program in [Program::CommandLine, Program::Server] {
        let path = folder.join(program.name());
        ensure!(path.is_file(), "there is no program {}", path.display());
    }
    Ok(folder.to_owned())
}

fn build(folder: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(cargo);
    // As `cargo xtask test` builds them; of one package alone, dependencies would be built with other features.
    command.args(["build", "--quiet", "--workspace", "--bins"]);
    command.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    if folder.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    // What cargo tells this test about its package would make build scripts of dependencies run again.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command.stdin(Stdio::null()).output().context("cargo could not be started")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the programs could not be built:\n{told}");
    Ok(())
}
