//! One store's folder: the configuration, the store, and the programs that use them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;
use serde_json::Value;

use crate::options::SelfTest;
use crate::process::{EndedEarly, Launch, Process, command};
use crate::profile::UNSYNCED_WRITES_MAX;
use crate::promise::Promise;
use crate::{Digest, Server};

const CONFIGURATION: &str = "price-cache.toml";
/// What servers and doctors write to stderr.
const STDERR: &str = "programs.stderr";
/// Where the store is.
const STORE: &str = "data";

/// The programs are those of one executable.
pub(crate) struct Stage<'a> {
    folder: PathBuf,
    executable: &'a Path,
}

impl<'a> Stage<'a> {
    /// Makes the folder and writes the configuration of an upstream at `base_url`.
    pub(crate) fn new(folder: PathBuf, test: &'a SelfTest, base_url: &str) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        fs::write(folder.join(CONFIGURATION), configuration(base_url, test))?;
        Ok(Self { folder, executable: &test.executable })
    }

    /// Starts a server without waiting for it.
    pub(crate) fn launch(&self) -> anyhow::Result<Launch> {
        Ok(self.spawn(&["serve"])?.into())
    }

    /// Starts a server and waits until it has recovered the run. A server that ends instead has refused its store.
    pub(crate) async fn server(&self) -> anyhow::Result<Server> {
        self.launch()?.listening().await.map_err(|error| {
            let promise = if error.is::<EndedEarly>() { Promise::OpensAgain } else { Promise::GoesOn };
            promise.broken(format!("{error:#}: {}", self.said_last())).into()
        })
    }

    /// What the doctor finds in the store, which no server may have open. It must be healthy, and the doctor must not
    /// change a byte of it.
    pub(crate) async fn doctor(&self) -> anyhow::Result<Value> {
        let store = self.folder.join(STORE);
        let before = Digest::of(&store)?;
        let (status, stdout) = self.spawn(&["doctor", "--json"])?.wait().await?;
        let found: Option<Value> = serde_json::from_str(&stdout).ok();
        let is_healthy = status.success();
        // With a document it has read the store and found something wrong; without one it could not read the store.
        let promise = if found.is_some() { Promise::CountersEqualRecords } else { Promise::OpensAgain };
        promise
            .kept(is_healthy, || format!("the doctor ended with {status}: {stdout}{}", self.said_last()))?;
        let changes = before.changes(&Digest::of(&store)?);
        Promise::DoctorChangesNothing.kept(changes.is_empty(), || changes.join(", "))?;
        found.with_context(|| format!("the doctor said no JSON: {stdout}"))
    }

    /// Removes the folder; what cannot be removed now goes with the folder of the whole test.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// The last line that a program wrote to stderr.
    fn said_last(&self) -> String {
        let told = fs::read(self.folder.join(STDERR)).unwrap_or_default();
        let told = String::from_utf8_lossy(&told);
        told.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }

    fn spawn(&self, arguments: &[&str]) -> anyhow::Result<Process> {
        let mut command = command(self.executable, &self.folder);
        command.args(["--config", CONFIGURATION]).args(arguments);
        Process::spawn(command, format!("price-cache {}", arguments.join(" ")), &self.folder.join(STDERR))
    }
}

fn configuration(base_url: &str, test: &SelfTest) -> String {
    let parallel_markets = test.parallel_markets;
    let sync_interval = test.sync_interval.as_ref();
    let sync_interval =
        sync_interval.map(|interval| format!("sync_interval = {interval:?}\n")).unwrap_or_default();
    let kind = test.store.as_ref().map(|kind| format!("kind = {kind:?}\n")).unwrap_or_default();
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
max_unsynced_writes = {UNSYNCED_WRITES_MAX}
resume_interrupted = true

[run.retry]
attempts_max = 2
backoff_start = "1ms"
backoff_max = "5ms"

[server]
listen = "127.0.0.1:0"

[storage]
{kind}{sync_interval}path = "{STORE}"
reserve_mib = 1
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_the_store_is_written_only_where_one_is_asked_for() {
        let mut test = SelfTest::new("price-cache".into(), 1, 1);
        assert!(configuration("http://127.0.0.1:9", &test).contains("[storage]\npath = \"data\"\n"));
        test.store = Some("redb".to_owned());
        assert!(configuration("http://127.0.0.1:9", &test).contains("[storage]\nkind = \"redb\"\npath"));
    }
}
