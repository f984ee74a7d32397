//! `--watch` over a restart of the server, and ended by Ctrl-C.

use std::fs;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::{PATIENCE, Process, Settings, Signal, eventually, free_address};

use crate::stage::Stage;

/// A stage whose server comes back at the same address, and that address.
async fn stage(products: u32) -> anyhow::Result<(Stage, String)> {
    let address = free_address()?.to_string();
    let settings = Settings { listen: address.clone(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(2, products), &settings).await?;
    stage.slow_down(5);
    Ok((stage, format!("http://{address}")))
}

/// Waits until the commands that were started have said something on stderr.
async fn said(stage: &Stage, what: &str, times: usize) -> anyhow::Result<()> {
    eventually(&format!("{what:?} on stderr"), PATIENCE, async || {
        let told = fs::read_to_string(stage.scene.path("command.stderr")).context("nothing was said")?;
        Ok((told.matches(what).count() >= times).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlives_the_server_that_it_watches() -> anyhow::Result<()> {
    let (stage, url) = stage(1_000).await?;
    let mut server = stage.scene.server().await?;
    let start = stage.scene.start(&["--server", &url, "start", "--watch"])?;
    stage.requests(50).await?;
    said(&stage, "PROCESSING", 1).await?;
    let json = stage.scene.start(&["--server", &url, "status", "--watch", "--json"])?;
    stage.requests(400).await?;
    server.kill().await?;
    said(&stage, "trying again", 1).await?;
    let server = stage.scene.server().await?;
    stage.slow_down(0);
    server.api.state("COMPLETED").await?;
    let ended = stage.scene.end(start).await?.expect(0)?;
    ensure!(ended.stdout.contains("COMPLETED") && ended.stdout.contains("M002"), "{ended:?}");
    let printed = stage.scene.end(json).await?.expect(0)?;
    let last = printed.stdout.lines().last().context("nothing was printed")?;
    let last: serde_json::Value = serde_json::from_str(last)?;
    ensure!(last["current_state"]["status"] == "COMPLETED", "{last:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_watch_with_130_and_leaves_the_run_alone() -> anyhow::Result<()> {
    let (stage, url) = stage(5_000).await?;
    let server = stage.scene.server().await?;
    let interrupted = async |process: Process| {
        process.signal(Signal::Interrupt)?;
        stage.scene.end(process).await?.expect(130)
    };
    let start = stage.scene.start(&["--server", &url, "start", "--watch"])?;
    said(&stage, "PROCESSING", 1).await?;
    let left = interrupted(start).await?;
    ensure!(left.stdout.is_empty() && left.stderr.contains("`price-cache stop`"), "{left:?}");
    let mut json = stage.scene.start(&["--server", &url, "status", "--watch", "--json"])?;
    json.line().await?.context("it prints at once")?;
    interrupted(json).await?;
    ensure!(server.api.status().await?.state == "PROCESSING", "the run is none of the watch's business");
    Ok(())
}
