//! `price-cache run`: a run in the foreground, without a server.

use std::process::Command;

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::{Settings, Signal};
use serde_json::Value;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_with_0_or_with_5_when_products_failed() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(2, 100), &Settings::default()).await?;
    let good = stage.scene.run(&["run"]).await?.expect(0)?;
    ensure!(good.stdout.is_empty(), "human text is for stderr: {}", good.stdout);
    ensure!(good.stderr.contains("200 of 200 products"), "{}", good.stderr);
    ensure!(good.stderr.contains("COMPLETED"), "lines tell the state: {}", good.stderr);
    ensure!(
        !good.stderr.contains('\u{1b}') && !good.stderr.contains('\r'),
        "no terminal codes: {}",
        good.stderr
    );

    let fault = FixedFault::pair("M002", "product-0000007", FaultKind::Status(404));
    stage.simulator.set_faults(Faults::always([fault]))?;
    let failed = stage.scene.run(&["run", "--json"]).await?.expect(5)?;
    ensure!(failed.stderr.contains("1 failed"), "{}", failed.stderr);
    let status: Value = serde_json::from_str(&failed.stdout)?;
    ensure!(status["current_state"]["status"] == "COMPLETED", "{status:#}");
    ensure!(status["analytics"]["total_fails"] == 1, "{status:#}");
    stage.scene.run(&["doctor"]).await?.expect(0)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_pauses_a_run_and_the_same_command_resumes_it_without_a_repeat() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(2, 300), &Settings::default()).await?;
    stage.slow_down(2);
    let process = stage.scene.start(&["run"])?;
    stage.requests(150).await?;
    process.signal(Signal::Interrupt)?;
    let paused = stage.scene.end(process).await?.expect(130)?;
    ensure!(paused.stderr.contains("the same command resumes"), "{}", paused.stderr);
    let interrupted = stage.simulator.ledger();
    ensure!(interrupted.total_requests() < 600, "it was interrupted before its end");

    stage.scene.run(&["run"]).await?.expect(0)?;
    let ledger = stage.simulator.ledger();
    ensure!(ledger.pairs_requested() == 600, "pairs were skipped");
    // Only what was under way in each market when it was interrupted.
    ensure!(ledger.total_requests() <= 602, "{:?}", ledger.requests_over(1));
    ensure!(ledger.listings == interrupted.listings, "a resumed run does not list again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_after_a_kill_resumes() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(2, 300), &Settings::default()).await?;
    stage.slow_down(1);
    let mut process = stage.scene.start(&["run"])?;
    stage.requests(150).await?;
    process.kill().await?;
    stage.scene.run(&["run"]).await?.expect(0)?;
    let ledger = stage.simulator.ledger();
    ensure!(
        ledger.pairs_requested() == 600 && ledger.total_requests() <= 632,
        "{:?}",
        ledger.requests_over(1)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever reads the results should know that it was left out")]
async fn a_terminal_gets_a_bar_per_market() -> anyhow::Result<()> {
    if Command::new("script").arg("--version").output().is_err() {
        println!("left out: there is no program `script` to make a terminal with");
        return Ok(());
    }
    let mut stage = Stage::new(Catalogue::synthetic(2, 300), &Settings::default()).await?;
    stage.scene.set("TERM", "xterm");
    stage.slow_down(2);
    let script = "script -qec \"stty cols 100 rows 30; $PC --config price-cache.toml run\" /dev/null";
    let shown = stage.scene.shell(script).await?.expect(0)?.stdout;
    ensure!(shown.contains('\u{1b}') || shown.contains('\r'), "it is drawn in place: {shown}");
    for text in ["M001", "M002", "%"] {
        ensure!(shown.contains(text), "{text} is not shown: {shown}");
    }
    ensure!(shown.chars().any(|letter| matches!(letter, '█' | '#' | '━' | '=')), "there are bars: {shown}");
    ensure!(shown.contains("600 of 600 products"), "the summary stays: {shown}");
    Ok(())
}
