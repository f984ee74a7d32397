//! `fuzz-api`: schemathesis makes thousands of requests out of `/openapi.json`, right and wrong ones, and checks every
//! answer of the real server against it; once without API keys and once with one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::configuration;
use crate::demo::processes::Child;
use crate::shell::{self, cargo};

/// The version that is installed.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// The key of the server that has one, and its hash.
const KEY: &str = "fuzz-key";
const KEY_HASH: &str = "sha256:231e9b2f757db8d48ecd0711b60135e1cc57a3a807be9dc12638856f17a7872c";
/// Generated requests per operation and server, besides those at the limits of each parameter.
const EXAMPLES: &str = "300";
/// Fewer requests than this in all are a failure: something was not tried.
const CASES_MIN: u64 = 5_000;

pub(crate) fn run(options: &[&str]) -> Result<()> {
    let seed = match options {
        [] => u64::from(std::process::id()),
        ["--seed", seed] => seed.parse().with_context(|| format!("{seed:?} is not a seed"))?,
        _ => bail!("usage: cargo xtask fuzz-api [--seed SEED]"),
    };
    let program = schemathesis()?;
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cases = runtime.block_on(async {
        Ok::<_, anyhow::Error>(fuzz(&program, seed, false).await? + fuzz(&program, seed, true).await?)
    })?;
    ensure!(cases >= CASES_MIN, "only {cases} requests were made, at least {CASES_MIN} are wanted");
    shell::say(&format!("{cases} requests with seed {seed}, no check failed"));
    Ok(())
}

fn folder() -> PathBuf {
    shell::target().join("fuzz-api")
}

/// The program, in a virtual environment of its own.
fn schemathesis() -> Result<PathBuf> {
    let environment = folder().join(SCHEMATHESIS);
    let program = environment.join("bin/schemathesis");
    if !program.exists() {
        fs::create_dir_all(folder()).context("could not make the folder of fuzz-api")?;
        let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).status();
        ensure!(
            made.is_ok_and(|status| status.success()),
            "schemathesis needs Python 3.10 or newer with venv; on Debian: apt-get install python3-venv"
        );
        let mut install = Command::new(environment.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check", SCHEMATHESIS]);
        shell::run(install)?;
    }
    Ok(program)
}

/// One server, tried with all checks; answers how many requests were made.
async fn fuzz(program: &Path, seed: u64, with_key: bool) -> Result<u64> {
    let folder = folder().join(if with_key { "with-key" } else { "without-key" });
    if folder.exists() {
        fs::remove_dir_all(&folder).context("could not remove the store of the last time")?;
    }
    fs::create_dir_all(&folder)?;
    let data = ["--data-set", "azure-vm", "--markets", "3", "--products", "200", "--seed", "1"];
    let (simulator, upstream) = Child::simulator(data).await?;
    let config = folder.join("price-cache.toml");
    let keys = if with_key { format!("api_keys = [\"{KEY_HASH}\"]") } else { String::new() };
    let listen = format!("listen = \"127.0.0.1:0\"\n{keys}");
    fs::write(
        &config,
        configuration::of_simulator("fuzz-api", &upstream, &folder.join("data"), "", &listen),
    )?;
    let (server, url) = Child::server(&config).await?;
    let report = folder.join("report.json");
    let mut command = tokio::process::Command::new(program);
    command
        .args(["run", &format!("{}/openapi.json", url.trim_end_matches('/')), "--checks", "all"])
        // The stream of events does not end; the tests of the server read it.
        .args(["--exclude-operation-id", "followEvents"])
        .args(["--seed", &seed.to_string(), "--max-examples", EXAMPLES, "--continue-on-failure"])
        .args(["--generation-database", "none", "--report", "json", "--report-json-path"])
        .arg(&report)
        .current_dir(&folder);
    if with_key {
        command.args(["--header", &format!("Authorization: Bearer {KEY}")]);
    }
    let status = command.status().await.context("could not run schemathesis")?;
    server.end().await;
    simulator.end().await;
    ensure!(status.success(), "schemathesis found something; --seed {seed} repeats it");
    let report: Value = serde_json::from_slice(&fs::read(&report)?).context("its report is not JSON")?;
    report["test_cases"]["generated"].as_u64().context("its report does not say how many requests it made")
}
