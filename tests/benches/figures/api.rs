//! What is asked of the server and the simulator while they are measured.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::bare;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one server that keeps its connection.
pub(crate) struct Api {
    runtime: Runtime,
    client: Client,
    url: String,
}

/// What a status says.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// The state of the run.
    pub(crate) state: String,
    /// Products with an outcome, of all markets.
    pub(crate) completed: u64,
    /// Failed ones of those.
    pub(crate) failed: u64,
}

impl Api {
    /// A client of the server at a URL without a path.
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, client: bare::client()?, url: url.to_owned() })
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// One request; the status and the body of its answer.
    pub(crate) fn ask(&self, method: Method, target: &str, body: &str) -> anyhow::Result<(u16, Vec<u8>)> {
        let request = self.client.request(method, format!("{}{target}", self.url));
        let request =
            request.timeout(PATIENCE).header("content-type", "application/json").body(body.to_owned());
        self.runtime.block_on(async {
            let answer = request.send().await.with_context(|| format!("{target} was not answered"))?;
            Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
        })
    }

    /// An answer of success.
    pub(crate) fn get(&self, target: &str) -> anyhow::Result<Vec<u8>> {
        let (status, body) = self.ask(Method::GET, target, "")?;
        ensure!(status == 200, "GET {target}: {status} {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    /// Starts the run.
    pub(crate) fn start(&self) -> anyhow::Result<()> {
        let (status, body) = self.ask(Method::POST, "/api/cache/prices/start", "")?;
        ensure!(status == 202, "start: {status} {}", String::from_utf8_lossy(&body));
        Ok(())
    }

    /// The status of now.
    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        let body: Value = serde_json::from_slice(&self.get("/api/cache/prices/status")?)?;
        let analytics = &body["analytics"];
        let number = |field: &str| analytics[field].as_u64().with_context(|| format!("no {field} in {body}"));
        let failed = number("total_fails")?;
        Ok(Status {
            state: body["current_state"]["status"].as_str().context("no state")?.to_owned(),
            completed: number("total_success")? + failed,
            failed,
        })
    }

    /// Looks until the status is as wanted.
    pub(crate) fn status_where(
        &self,
        interval: Duration,
        wanted: impl Fn(&Status) -> bool,
    ) -> anyhow::Result<Status> {
        loop {
            let status = self.status()?;
            ensure!(status.state != "ERROR", "the run failed");
            ensure!(status.failed == 0, "products failed: {status:?}");
            if wanted(&status) {
                return Ok(status);
            }
            std::thread::sleep(interval);
        }
    }
}
