//! Clients that mean harm, against the real server in the middle of a run: each gets its own answer, and the run
//! never notices.

mod addresses;
mod crowds;
mod keys;
mod oversized;
mod pages;

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_tests::{Raw, RawAnswer, Server, Settings};

use crate::stage::Stage;

const MARKETS: u32 = 2;
/// With the upstream's time this is a run of minutes, unless it is told to hurry.
const PRODUCTS: u32 = 1_500;
const UPSTREAM_TIME_MS: u64 = 100;

/// A run that goes on while its server is attacked.
struct Attacked {
    stage: Stage,
    server: Server,
}

impl Attacked {
    async fn new() -> anyhow::Result<Self> {
        let (stage, server) = Self::server("").await?;
        Self::with(stage, server).await
    }

    /// The server with more lines of configuration, and no run yet.
    async fn server(lines: &str) -> anyhow::Result<(Stage, Server)> {
        let settings = Settings { server: lines.to_owned(), ..Settings::default() };
        let stage = Stage::new(Catalogue::synthetic(MARKETS, PRODUCTS), &settings).await?;
        stage.slow_down(UPSTREAM_TIME_MS);
        let server = stage.scene.server().await?;
        Ok((stage, server))
    }

    async fn with(stage: Stage, server: Server) -> anyhow::Result<Self> {
        server.api.start().await?;
        stage.requests(MARKETS * 2).await?;
        Ok(Self { stage, server })
    }

    /// Sends bytes on a connection of their own.
    async fn send(&self, request: impl AsRef<[u8]>) -> anyhow::Result<RawAnswer> {
        let mut connection = Raw::open(self.server.api.address()).await?;
        connection.send(request).await?;
        connection.answer().await
    }

    /// The run has gone on all the time, and comes to its end with every product asked for once.
    async fn ends_untouched(self) -> anyhow::Result<()> {
        let status = self.server.api.status().await?;
        ensure!(status.state == "PROCESSING", "the run did not go on: {:#}", status.json);
        let now = self.stage.simulator.ledger().total_requests();
        self.stage.requests(now + MARKETS).await?;
        self.stage.slow_down(0);
        let done = self.server.api.state("COMPLETED").await?;
        let pairs = MARKETS * PRODUCTS;
        ensure!(done.completed() == u64::from(pairs) && done.failed() == 0, "{:#}", done.json);
        let ledger = self.stage.simulator.ledger();
        ensure!(ledger.total_requests() == pairs, "{} requests for {pairs} pairs", ledger.total_requests());
        ensure!(ledger.pairs_requested() == pairs as usize, "{} pairs", ledger.pairs_requested());
        ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
        ensure!(self.server.terminate().await? == Some(0), "it ends well");
        Ok(())
    }
}
