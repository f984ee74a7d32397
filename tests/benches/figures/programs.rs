//! The programs under measurement: the simulator as the upstream, and the server with its store.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_tests::Usage;
use reqwest::Method;

use super::api::Api;
use super::place::Place;
use super::process::{Process, command};

/// The folder of the released programs.
fn folder() -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let folder =
        executable.parent().and_then(Path::parent).context("the benchmark is in no folder of cargo's")?;
    Ok(folder.to_owned())
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = folder()?.join(name);
    ensure!(
        path.is_file(),
        "there is no program {}; use `cargo xtask bench`, which builds it",
        path.display()
    );
    Ok(path)
}

/// The upstream.
pub(crate) struct Upstream {
    /// Its API.
    pub(crate) api: Api,
    _process: Process,
}

impl Upstream {
    /// Starts a simulator of so many markets and products of each.
    pub(crate) fn start(catalogue: (u32, u32), processors: Option<&str>) -> anyhow::Result<Self> {
        Self::begin(catalogue, processors, &[])
    }

    /// The same, and it answers so many prices per second.
    pub(crate) fn limited(catalogue: (u32, u32), per_second: u32) -> anyhow::Result<Self> {
        Self::begin(catalogue, None, &["--rate-limit", &per_second.to_string()])
    }

    fn begin(
        (markets, products): (u32, u32),
        processors: Option<&str>,
        options: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = command(&program("price-cache-simulator")?, processors);
        command.arg("--data-set").arg(format!("synthetic:{markets}x{products}")).arg("--no-pair-counts");
        command.args(options);
        let mut process = Process::start(&mut command)?;
        let api = Api::new(&process.line()?)?;
        Ok(Self { api, _process: process })
    }

    /// Sets how long each answer takes.
    pub(crate) fn set_latency(&self, latency: Duration) -> anyhow::Result<()> {
        let body = format!("{{\"latency_ms\":{},\"latency_jitter_ms\":0}}", latency.as_millis());
        let (status, body) = self.api.ask(Method::PUT, "/control/latency", &body)?;
        ensure!((200..300).contains(&status), "the latency was refused: {}", String::from_utf8_lossy(&body));
        Ok(())
    }

    /// The URL of one price.
    pub(crate) fn price_url(&self) -> anyhow::Result<String> {
        let markets: serde_json::Value = serde_json::from_slice(&self.api.get("/markets/plain")?)?;
        let market = markets[0].as_str().context("no market")?.to_owned();
        let list: serde_json::Value =
            serde_json::from_slice(&self.api.get(&format!("/markets/{market}/products?page=1&size=1"))?)?;
        let product = list["items"][0]["id"].as_str().context("no product")?;
        Ok(format!("{}/markets/{market}/products/{product}/price", self.api.url()))
    }
}

/// A server that answers.
pub(crate) struct Server {
    /// Its API.
    pub(crate) api: Api,
    /// From the start of the process to the first right answer.
    pub(crate) ready_after: Duration,
    process: Process,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn start(place: &Place, processors: Option<&str>) -> anyhow::Result<Self> {
        let mut command = command(&program("price-cache-server")?, processors);
        command.arg("--config").arg(place.configuration());
        command.current_dir(place.path());
        command.stderr(File::options().create(true).append(true).open(place.stderr())?);
        let begun = Instant::now();
        let mut process = Process::start(&mut command)?;
        let line = process.line();
        let line = line.with_context(|| fs::read_to_string(place.stderr()).unwrap_or_default())?;
        let url = line.strip_prefix("listening on ").with_context(|| format!("unexpected: {line}"))?;
        let api = Api::new(url)?;
        api.get("/health/ready")?;
        Ok(Self { ready_after: begun.elapsed(), api, process })
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        self.process.usage()
    }

    /// `kill -9`.
    pub(crate) fn kill(self) -> anyhow::Result<()> {
        self.process.kill()
    }
}
