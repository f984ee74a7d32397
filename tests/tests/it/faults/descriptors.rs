//! A server with 64 file descriptors and more clients than that: the run does not notice, and once they leave, others
//! are answered again.

use std::time::{Duration, Instant};

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults};
use price_cache_tests::{Raw, Settings, Usage};

use crate::stage::Stage;

const OPEN_FILES_MAX: u32 = 64;
/// They say nothing.
const IDLE_CLIENTS: usize = 100;
const MARKETS: u32 = 4;
const PRODUCTS: u32 = 100;
const UPSTREAM_TIME_MS: u64 = 20;
/// So many products of a thousand meet a reset first, after which the run needs another descriptor.
const RESETS_PER_MILLE: u16 = 200;
/// As much of a processor a server may use that waits for descriptors and walks so slowly.
const PROCESSOR_SHARE_MAX: f64 = 0.5;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_descriptors_are_used_up_by_clients_goes_on_with_its_run() -> anyhow::Result<()> {
    let retry = "budget_start = 1000".to_owned();
    let settings = Settings { parallel_markets: MARKETS, retry, ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(MARKETS, PRODUCTS), &settings).await?;
    stage.slow_down(UPSTREAM_TIME_MS);
    let transient = [(FaultKind::Reset, RESETS_PER_MILLE)].into();
    stage.simulator.set_faults(Faults { transient, transient_attempts: 1, ..Faults::default() })?;
    let server = stage.scene.server_with_open_files(OPEN_FILES_MAX).await?;
    server.api.start().await?;
    let mut idle = Vec::new();
    for _ in 0..IDLE_CLIENTS {
        idle.push(Raw::open(server.api.address()).await?);
    }
    let (begun, before) = (Instant::now(), Usage::of(server.id()?)?);
    stage.requests(MARKETS * PRODUCTS).await?;
    let waited = begun.elapsed().max(Duration::from_secs(1)).as_secs_f64();
    let share = (Usage::of(server.id()?)?.cpu_seconds - before.cpu_seconds) / waited;
    ensure!(share < PROCESSOR_SHARE_MAX, "a server that waits uses {share:.2} of a processor");
    drop(idle);
    let done = server.api.state("COMPLETED").await?;
    let pairs = u64::from(MARKETS * PRODUCTS);
    ensure!(done.completed() == pairs && done.failed() == 0, "{:#}", done.json);
    let ledger = stage.simulator.ledger();
    let resets = u64::from(ledger.totals.fault(FaultKind::Reset));
    ensure!(resets > 0, "nothing was reset");
    ensure!(u64::from(ledger.total_requests()) == pairs + resets, "{} requests", ledger.total_requests());
    ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
    for trouble in ["could not accept", "is parked"] {
        ensure!(!stage.scene.stderr().contains(trouble), "there were too few descriptors");
    }
    ensure!(server.terminate().await? == Some(0), "a server ends well");
    Ok(())
}
