//! Stop, SIGTERM and SIGINT take effect at once, even while the upstream hangs.

use std::time::{Duration, Instant};

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::{Server, Settings, Signal, StatusView, within};

use crate::stage::Stage;

const MARKETS: [&str; 2] = ["M001", "M002"];
const PRODUCTS: u32 = 300;
/// The product at which each market hangs, and its place.
const HANGING: (u64, &str) = (51, "product-0000051");
/// A stop is promised within 250 ms; a busy machine gets four times that.
const STOP_TIME_MAX: Duration = Duration::from_secs(1);
/// A shutdown is promised within 5 s.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(5);

/// A run in the middle of which the upstream has stopped to answer.
async fn hanging(settings: &Settings) -> anyhow::Result<(Stage, Server, StatusView)> {
    let stage = Stage::new(Catalogue::synthetic(2, PRODUCTS), settings).await?;
    let hang = |market| FixedFault::pair(market, HANGING.1, FaultKind::Hang);
    stage.simulator.set_faults(Faults::always(MARKETS.map(hang)))?;
    let server = stage.scene.server().await?;
    server.api.start().await?;
    let all_hang = stage
        .simulator
        .wait_until(|ledger| MARKETS.iter().all(|market| ledger.requests(market, HANGING.1) == 1));
    within("a request that hangs in each market", all_hang).await?;
    let answers = 2 * (HANGING.0 - 1);
    let all_shown = |status: &StatusView| status.completed() == answers;
    let status = server.api.status_where("every answer in the status", all_shown).await?;
    Ok((stage, server, status))
}

/// Everything was asked for once, but for what hung when the run was stopped.
fn account(stage: &Stage, interruptions: u32) -> anyhow::Result<()> {
    let ledger = stage.simulator.ledger();
    ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests of a market at once");
    let expected = 2 * PRODUCTS + 2 * interruptions;
    ensure!(ledger.total_requests() <= expected, "{} requests, not {expected}", ledger.total_requests());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_pauses_at_once_though_the_upstream_hangs_and_start_resumes() -> anyhow::Result<()> {
    let (stage, server, before) = hanging(&Settings::default()).await?;
    let begun = Instant::now();
    let answer = server.api.command("stop").await?;
    ensure!(answer.status == 202, "{answer:?}");
    let paused = server.api.state("PAUSED").await?;
    let took = begun.elapsed();
    ensure!(took < STOP_TIME_MAX, "the stop took {took:?}");
    let totals = stage.simulator.ledger().totals;
    ensure!(totals.served + 2 == totals.requests, "the upstream has not answered the last two: {totals:?}");
    ensure!(paused.paused_reason.as_deref() == Some("manual"), "{:#}", paused.json);
    paused.continues(&before)?;
    ensure!(paused.completed() == u64::from(totals.served), "every answer counts: {:#}", paused.json);

    let again = server.api.command("stop").await?;
    ensure!(again.status == 200 && again.json()?["state"]["status"] == "PAUSED", "{}", again.text());

    stage.simulator.set_faults(Faults::default())?;
    server.api.start().await?;
    let done = server.api.state("COMPLETED").await?;
    ensure!(done.completed() == u64::from(2 * PRODUCTS) && done.failed() == 0, "{:#}", done.json);
    account(&stage, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_pauses_and_ends_well_though_the_upstream_hangs_and_a_restart_resumes() -> anyhow::Result<()>
{
    let (stage, mut server, before) = hanging(&Settings::default()).await?;
    let begun = Instant::now();
    server.signal(Signal::Terminate)?;
    ensure!(server.wait().await? == Some(0), "SIGTERM is an orderly end");
    let took = begun.elapsed();
    ensure!(took < SHUTDOWN_TIME_MAX, "the end took {took:?}");

    let url = stage.simulator.base_url();
    let source = price_cache_tests::sources::Source::rest(&url).to_string();
    let waiting = Settings { run: "resume_interrupted = false".to_owned(), ..Settings::default() };
    stage.scene.configure(&source, &waiting)?;
    let server = stage.scene.server().await?;
    let status = server.api.status().await?;
    ensure!(status.state == "PAUSED", "not to resume by itself was asked for: {:#}", status.json);
    ensure!(status.paused_reason.as_deref() == Some("shutdown"), "{:#}", status.json);
    status.continues(&before)?;
    ensure!(server.terminate().await? == Some(0), "nothing is under way");

    stage.simulator.set_faults(Faults::default())?;
    stage.scene.configure(&source, &Settings::default())?;
    let server = stage.scene.server().await?;
    let done = server.api.state("COMPLETED").await?;
    ensure!(done.completed() == u64::from(2 * PRODUCTS), "{:#}", done.json);
    account(&stage, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn sigint_pauses_and_exits_as_interrupted() -> anyhow::Result<()> {
    let (stage, mut server, before) = hanging(&Settings::default()).await?;
    server.signal(Signal::Interrupt)?;
    ensure!(server.wait().await? == Some(130), "Ctrl-C is an interruption");
    stage.simulator.set_faults(Faults::default())?;
    let server = stage.scene.server().await?;
    server.api.status().await?.continues(&before)?;
    server.api.state("COMPLETED").await?;
    account(&stage, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_pause_survives_a_restart_and_does_not_resume_by_itself() -> anyhow::Result<()> {
    let (stage, mut server, _) = hanging(&Settings::default()).await?;
    server.api.command("stop").await?;
    let paused = server.api.state("PAUSED").await?;
    server.kill().await?;
    stage.simulator.set_faults(Faults::default())?;
    server = stage.scene.server().await?;
    let status = server.api.status().await?;
    ensure!(
        status.state == "PAUSED" && status.paused_reason.as_deref() == Some("manual"),
        "{:#}",
        status.json
    );
    ensure!(status.markets == paused.markets, "{:?} became {:?}", paused.markets, status.markets);
    server.api.start().await?;
    server.api.state("COMPLETED").await?;
    account(&stage, 1)
}
