//! A full disk: the run says so, loses nothing that was shown, and goes on when there is space again.

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::{Api, Server, Settings, SmallDisk, StatusView};

use crate::stage::Stage;

/// Room for the store and its reserve.
const DISK_MIB: u32 = 24;
const MARKETS: u32 = 4;
const PRODUCTS: u32 = 1_500;
/// How often the disk fills in one run unless `PRICE_CACHE_FULL_DISKS` says otherwise: each time takes the 2 s after which
/// the run goes on by itself.
const CYCLES_DEFAULT: u32 = 4;
/// How many requests are made in between.
const REQUESTS_PER_CYCLE: u32 = 40;
/// How long the upstream takes meanwhile, in milliseconds: slow enough for the run to outlive all cycles.
const CYCLE_LATENCY: u64 = 10;
/// Products of a market meanwhile: up to some 600 requests fit into what the log has of the full disk already.
const CYCLE_PRODUCTS: u32 = 4_000;

/// A run in the middle of which the disk has become full; `None` where this machine allows no small disks.
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn full(products: u32) -> anyhow::Result<Option<Full>> {
    let settings = Settings { storage: "disk/data".into(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(MARKETS, products), &settings).await?;
    let Some(disk) = SmallDisk::mount(&stage.scene.path("disk"), DISK_MIB)? else {
        println!("left out: this machine allows no mount, so there is no small disk to fill");
        return Ok(None);
    };
    stage.slow_down(1);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    stage.requests(500).await?;
    let before = server.api.status().await?;
    ensure!(before.state == "PROCESSING" && before.completed() > 0, "{:#}", before.json);
    let calls = server.api.log_ids(200).await?;
    disk.fill().context("could not fill the disk")?;
    let failed = server.api.state("ERROR").await?;
    failed.continues(&before)?;
    let pairs = u64::from(MARKETS * products);
    let full = Full { server, disk, stage, failed, calls, pairs };
    full.shows_everything(&full.server.api).await?;
    Ok(Some(full))
}

/// What a full disk leaves. Fields are dropped in this order: the folder goes when nothing is mounted in it.
struct Full {
    server: Server,
    disk: SmallDisk,
    stage: Stage,
    failed: StatusView,
    calls: Vec<String>,
    pairs: u64,
}

impl Full {
    async fn shows_everything(&self, api: &Api) -> anyhow::Result<()> {
        let priced = api.prices("M001").await?;
        ensure!(priced.len() as u64 >= self.failed.markets["M001"].completed, "prices are gone");
        let kept = api.log_ids(10_000).await?;
        ensure!(self.calls.iter().all(|call| kept.contains(call)), "calls that were shown are gone");
        Ok(())
    }

    /// Space returns, and with it the run.
    async fn ends_well(self) -> anyhow::Result<()> {
        self.disk.free()?;
        let done = self.server.api.state("COMPLETED").await?;
        done.continues(&self.failed)?;
        ensure!(done.completed() == self.pairs && done.failed() == 0, "{:#}", done.json);
        let ledger = self.stage.simulator.ledger();
        ensure!(ledger.pairs_requested() as u64 == self.pairs, "pairs were skipped");
        ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
        ensure!(self.server.terminate().await? == Some(0), "it ends well");
        self.stage.scene.run(&["doctor"]).await?.expect(0)?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_that_loses_nothing_and_ends_by_itself() -> anyhow::Result<()> {
    let Some(full) = full(PRODUCTS).await? else { return Ok(()) };
    let message = full.failed.error_message.clone().unwrap_or_default();
    ensure!(message.to_lowercase().contains("space") || message.contains("full"), "the reason: {message}");
    let json = &full.failed.json;
    ensure!(json["current_state"]["retry_at"].is_string(), "it tries again by itself: {json:#}");
    let live = full.server.api.ask(hyper::Method::GET, "/health/live").await?;
    ensure!(live.status == 200, "it lives: {live:?}");
    full.ends_well().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_on_a_full_disk_starts_on_it_and_goes_on_when_there_is_space() -> anyhow::Result<()> {
    let Some(mut full) = full(PRODUCTS).await? else { return Ok(()) };
    full.server.kill().await?;
    full.server = full.stage.scene.server().await?;
    let status = full.server.api.status().await?;
    status.continues(&full.failed)?;
    full.shows_everything(&full.server.api).await?;
    full.ends_well().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_again_and_again_in_one_run_costs_nothing_but_time() -> anyhow::Result<()> {
    let Some(mut full) = full(CYCLE_PRODUCTS).await? else { return Ok(()) };
    full.stage.slow_down(CYCLE_LATENCY);
    let cycles = std::env::var("PRICE_CACHE_FULL_DISKS").ok().and_then(|value| value.parse().ok());
    for cycle in 1..cycles.unwrap_or(CYCLES_DEFAULT) {
        full.disk.free()?;
        let asked = full.stage.simulator.ledger().total_requests();
        let again =
            full.server.api.status_where("that the run goes on", |status| status.state == "PROCESSING");
        again.await?.continues(&full.failed).with_context(|| format!("cycle {cycle}"))?;
        full.stage.requests(asked + REQUESTS_PER_CYCLE).await?;
        let before = full.server.api.status().await?;
        ensure!(before.completed() > full.failed.completed(), "cycle {cycle}: nothing was done");
        full.calls = full.server.api.log_ids(200).await?;
        full.disk.fill()?;
        full.failed = full.server.api.state("ERROR").await?;
        full.failed.continues(&before).with_context(|| format!("cycle {cycle}"))?;
        let message = full.failed.error_message.clone().unwrap_or_default();
        ensure!(message.contains("disk is full"), "cycle {cycle}, the reason: {message}");
        full.shows_everything(&full.server.api).await.with_context(|| format!("cycle {cycle}"))?;
    }
    full.stage.slow_down(0);
    full.ends_well().await
}
