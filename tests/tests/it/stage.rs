//! A simulator and a scene configured for it, as most tests need them.

use std::time::Duration;

use price_cache_simulator::{Catalogue, Handle, Latency, Options, Simulator};
use price_cache_tests::sources::Source;
use price_cache_tests::{Scene, Server, Settings, within};

/// An upstream and the programs that use it.
pub(crate) struct Stage {
    pub(crate) simulator: Handle,
    pub(crate) scene: Scene,
}

impl Stage {
    /// A plain REST API that sells the catalogue.
    pub(crate) async fn new(catalogue: Catalogue, settings: &Settings) -> anyhow::Result<Self> {
        Self::with(Options::new(catalogue), settings).await
    }

    /// The same with any options of the simulator.
    pub(crate) async fn with(options: Options, settings: &Settings) -> anyhow::Result<Self> {
        let simulator = Simulator::start(options).await?;
        let scene = Scene::new(&Source::rest(&simulator.base_url()).to_string(), settings)?;
        Ok(Self { simulator, scene })
    }

    /// The configuration of the upstream.
    pub(crate) fn source(&self) -> String {
        Source::rest(&self.simulator.base_url()).to_string()
    }

    /// Answers take this long from now on, so that a run lasts until the test is done with it.
    pub(crate) fn slow_down(&self, milliseconds: u64) {
        self.simulator.set_latency(Latency::fixed(Duration::from_millis(milliseconds)));
    }

    /// Waits until the upstream has seen so many requests.
    pub(crate) async fn requests(&self, count: u32) -> anyhow::Result<()> {
        let seen = self.simulator.wait_until(|ledger| ledger.total_requests() >= count);
        within(&format!("{count} requests"), seen).await
    }

    /// A server whose run is complete.
    pub(crate) async fn completed(&self) -> anyhow::Result<Server> {
        let server = self.scene.server().await?;
        server.api.start().await?;
        server.api.state("COMPLETED").await?;
        Ok(server)
    }
}
