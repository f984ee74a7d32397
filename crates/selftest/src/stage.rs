//! One run's folder: the configuration, the store, and the programs that use them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;
use serde_json::Value;

use crate::killer::UNDURABLE_RECORDS_MAX;
use crate::process::{Launch, Process, command};
use crate::promise::Promise;
use crate::{SelfTest, Server};

const CONFIGURATION: &str = "price-cache.toml";
/// What servers and doctors write to stderr.
const STDERR: &str = "programs.stderr";

/// The programs are those of one executable.
pub(crate) struct Stage<'a> {
    folder: PathBuf,
    executable: &'a Path,
}

impl<'a> Stage<'a> {
    /// Makes the folder and writes the configuration of an upstream at `base_url`.
    pub(crate) fn new(folder: PathBuf, test: &'a SelfTest, base_url: &str) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        fs::write(folder.join(CONFIGURATION), configuration(base_url, test.parallel_markets))?;
        Ok(Self { folder, executable: &test.executable })
    }

    /// Starts a server without waiting for it.
    pub(crate) fn launch(&self) -> anyhow::Result<Launch> {
        Ok(self.spawn(&["serve"])?.into())
    }

    /// Starts a server and waits until it has recovered the run.
    pub(crate) async fn server(&self) -> anyhow::Result<Server> {
        let server = self.launch()?.listening().await;
        server.map_err(|error| Promise::GoesOn.broken(format!("{error:#}")).into())
    }

    /// What the doctor finds in the store, which no server may have open.
    pub(crate) async fn doctor(&self) -> anyhow::Result<Value> {
        let (status, stdout) = self.spawn(&["doctor", "--json"])?.wait().await?;
        let is_healthy = status.success();
        Promise::CountersEqualRecords
            .kept(is_healthy, || format!("the doctor ended with {status}: {stdout}"))?;
        serde_json::from_str(&stdout).with_context(|| format!("the doctor said no JSON: {stdout}"))
    }

    fn spawn(&self, arguments: &[&str]) -> anyhow::Result<Process> {
        let mut command = command(self.executable, &self.folder);
        command.args(["--config", CONFIGURATION]).args(arguments);
        Process::spawn(command, format!("price-cache {}", arguments.join(" ")), &self.folder.join(STDERR))
    }
}

fn configuration(base_url: &str, parallel_markets: u32) -> String {
    format!(
        r#"# The configuration of a self-test.
[source]
base_url = "{base_url}"

[source.markets]
url = "/markets"
items = "$.markets"

[source.products]
url = "/markets/{{market}}/products"
items = "$.items"
pagination = {{ style = "page", size_param = "size", size = 500, total_pages = "$.pages" }}

[source.price]
url = "/markets/{{market}}/products/{{product}}/price"
amount = "$.amount"
currency = "$.currency"
product_check = "$.product"
market_check = "$.market"

[run]
parallel_markets = {parallel_markets}
undurable_records_max = {UNDURABLE_RECORDS_MAX}
resume_interrupted = true

[run.retry]
attempts_max = 2
backoff_start = "1ms"
backoff_max = "5ms"

[server]
listen = "127.0.0.1:0"

[storage]
path = "data"
reserve_mib = 1
"#
    )
}
