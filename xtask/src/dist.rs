//! `dist`: what is released, in one folder and one archive: the stripped programs with completions, the
//! manual page, licences and the files for systemd and containers.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{self, cargo};

const PROGRAMS: [&str; 2] = ["price-cache", "price-cache-server"];
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "deploy/price-cache.service",
    "docs/price-cache.schema.json",
];
const SHELLS: [(&str, &str); 3] =
    [("bash", "price-cache.bash"), ("zsh", "_price-cache"), ("fish", "price-cache.fish")];

pub(crate) fn run() -> Result<()> {
    shell::run(cargo(&["build", "--release", "--locked", "--package", "price-cache", "--bins"]))?;
    let root = shell::root();
    let release = shell::target().join("release");
    let name = format!("price-cache-{}", env!("CARGO_PKG_VERSION"));
    let dist = shell::target().join("dist");
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("completions"))?;
    for program in PROGRAMS {
        copy(&release.join(program), &folder.join(program))?;
    }
    for document in DOCUMENTS {
        let from = root.join(document);
        let file = from.file_name().context("a document without a name")?.to_owned();
        copy(&from, &folder.join(file))?;
    }
    let program = folder.join("price-cache");
    fs::write(folder.join("price-cache.1"), printed(&program, &["man"])?)?;
    for (name, file) in SHELLS {
        fs::write(folder.join("completions").join(file), printed(&program, &["completions", name])?)?;
    }
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--gzip").arg("--owner=0").arg("--group=0").arg("--file");
    tar.arg(dist.join(format!("{name}.tar.gz"))).arg("--directory").arg(&dist).arg(&name);
    shell::run(tar)?;
    shell::say(&format!("wrote {0} and {0}.tar.gz", folder.display()));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("could not copy {}", from.display()))
}

fn printed(program: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        bail!("price-cache {} failed", arguments.join(" "));
    }
    Ok(output.stdout)
}
