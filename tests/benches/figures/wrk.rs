//! `wrk`, where it is installed: an HTTP client in C that does nothing else.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::process::command;

/// Whether it is there.
pub(crate) fn is_installed() -> bool {
    Command::new("wrk").arg("--version").output().is_ok()
}

/// Requests per second with one thread and so many connections.
pub(crate) fn run(
    url: &str,
    connections: u32,
    window: Duration,
    processors: Option<&str>,
) -> anyhow::Result<f64> {
    let mut command = command(Path::new("wrk"), processors);
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{}s", window.as_secs().max(1)), url]);
    let output = command.output().context("wrk could not be started")?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && !told.contains("Non-2xx"), "wrk failed: {told}");
    let rate = told.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).with_context(|| format!("wrk said no rate: {told}"))
}
