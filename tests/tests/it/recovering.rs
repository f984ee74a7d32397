//! A server that is still opening its store: it has its address, says that it is not ready, and can be ended.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hyper::Method;
use price_cache_simulator::Catalogue;
use price_cache_tests::{Api, Launch, PATIENCE, Settings, Signal, eventually, within};

use crate::stage::Stage;

const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(5);

/// A completed run whose next server is held up.
async fn held_open() -> anyhow::Result<Stage> {
    let stage = Stage::new(Catalogue::synthetic(1, 20), &Settings::default()).await?;
    let server = stage.completed().await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    hold_up(&stage).await?;
    Ok(stage)
}

/// Replaces the first file that the store opens on the way up by a pipe: the next server waits there until it is let
/// go.
pub(crate) async fn hold_up(stage: &Stage) -> anyhow::Result<()> {
    stage.scene.shell("rm data/lock && mkfifo data/lock").await?.expect(0)?;
    Ok(())
}

/// Lets the server go on, which waits for somebody to read from the pipe.
pub(crate) async fn let_go(stage: &Stage) -> anyhow::Result<fs::File> {
    let pipe = stage.scene.path("data/lock");
    Ok(tokio::task::spawn_blocking(move || fs::File::open(pipe)).await??)
}

/// A server that is held up. Its address is on stdout only when it is ready; before that it is in the log.
pub(crate) async fn recovering(stage: &Stage) -> anyhow::Result<(Launch, Api)> {
    let told_before = stage.scene.stderr().len();
    let launch = stage.scene.launch()?;
    let address = address_told(stage, told_before).await?;
    Ok((launch, Api::new(address)))
}

/// Where the server listens that wrote to the log behind `told_before`, though it is not ready.
pub(crate) async fn address_told(stage: &Stage, told_before: usize) -> anyhow::Result<SocketAddr> {
    eventually("that it recovers", PATIENCE, async || {
        let told = stage.scene.stderr();
        let line = told
            .get(told_before..)
            .and_then(|new| new.lines().find(|line| line.contains("recovering the run")));
        let address = line.and_then(|line| line.split("address=").nth(1)).map(str::parse::<SocketAddr>);
        Ok(address.transpose()?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_store_is_open_a_server_is_alive_and_not_ready() -> anyhow::Result<()> {
    let stage = held_open().await?;
    let (launch, api) = recovering(&stage).await?;
    let live = api.ask(Method::GET, "/health/live").await?;
    ensure!(live.status == 200, "{live:?}");
    for (method, target) in [
        (Method::GET, "/health/ready"),
        (Method::GET, "/api/cache/prices/status"),
        (Method::POST, "/api/cache/prices/start"),
    ] {
        let answer = api.ask(method, target).await?;
        ensure!(answer.status == 503 && answer.text().contains("recovering"), "{target}: {answer:?}");
    }
    let told = stage.scene.run(&["status", "--server", &api.url()]).await?.expect(1)?;
    ensure!(told.stderr.contains("recovering"), "{}", told.stderr);
    // Nobody waits for a store to hear that the address is taken.
    let taken = Settings { listen: api.url().replace("http://", ""), ..Settings::default() };
    let source = price_cache_tests::sources::Source::rest(&stage.simulator.base_url()).to_string();
    stage.scene.configure(&source, &taken)?;
    let told = stage.scene.failing_server().await?.expect(1)?;
    ensure!(told.stderr.contains("cannot listen on"), "{}", told.stderr);

    let _reader = let_go(&stage).await?;
    let server = launch.listening().await?;
    ensure!(server.api == api, "another address");
    ensure!(api.get("/health/ready").await?["status"] == "ok", "it is ready when it says where it listens");
    ensure!(api.status().await?.completed() == 20, "the run is there");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_recovers_ends_in_time_and_well() -> anyhow::Result<()> {
    let stage = held_open().await?;
    for (signal, code) in [(Signal::Terminate, 0), (Signal::Interrupt, 130)] {
        let (mut launch, _) = recovering(&stage).await?;
        let told = Instant::now();
        launch.signal(signal)?;
        let ended = within("the end of a server that recovers", launch.wait()).await??;
        ensure!(ended == Some(code), "{signal:?}: {ended:?}");
        ensure!(told.elapsed() < SHUTDOWN_TIME_MAX, "{signal:?}: it took {:?}", told.elapsed());
    }
    fs::remove_file(stage.scene.path("data/lock")).context("the pipe")?;
    let server = stage.scene.server().await?;
    ensure!(server.api.status().await?.completed() == 20, "the run is there");
    Ok(())
}
