//! The programs of the demo as child processes in groups of their own, so that Ctrl-C reaches this
//! program alone and they end in good order.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use crate::shell::binary;

/// A child that takes longer to end is killed.
const END_TIME_MAX: Duration = Duration::from_secs(6);

/// A program that runs beside us.
pub(crate) struct Child {
    process: tokio::process::Child,
    /// Kept open, so that the child may go on writing.
    _output: BufReader<ChildStdout>,
}

impl Child {
    /// The pricing API and its base URL.
    pub(crate) async fn simulator(
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<(Self, String)> {
        let mut command = Command::new(binary("price-cache-simulator"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::start(command).await.context("the simulator did not start")
    }

    /// The price cache's server and its base URL.
    pub(crate) async fn server(config: &Path) -> Result<(Self, String)> {
        let mut command = Command::new(binary("price-cache-server"));
        command.arg("--config").arg(config);
        Self::start(command).await.context("the server did not start")
    }

    /// Starts a program that says its URL at the end of its first line.
    async fn start(mut command: Command) -> Result<(Self, String)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut process = command.spawn()?;
        let output = process.stdout.take().context("it has no output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        let Some(at) = line.find("http://") else { bail!("it said {:?} instead of its URL", line.trim()) };
        let url = line[at..].trim().to_owned();
        Ok((Self { process, _output: output }, url))
    }

    /// Asks the program to end and waits until it has.
    pub(crate) async fn end(mut self) {
        if let Some(id) = self.process.id() {
            let _ = Command::new("kill").args(["-TERM", &id.to_string()]).status().await;
        }
        if tokio::time::timeout(END_TIME_MAX, self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
    }
}

/// The command line of the price cache, talking to this server.
pub(crate) fn price_cache(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("price-cache"));
    command.args(["--server", url]).args(arguments).kill_on_drop(true);
    command
}

/// What the server answers to `status`.
pub(crate) async fn status(url: &str) -> Result<Value> {
    json(url, &["status", "--json"]).await
}

/// What the server answers to a command, as JSON.
pub(crate) async fn json(url: &str, arguments: &[&str]) -> Result<Value> {
    let output = price_cache(url, arguments).output().await?;
    if !output.status.success() {
        bail!(
            "price-cache {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("the server's answer is not JSON")
}
