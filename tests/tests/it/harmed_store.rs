//! A server on a store whose files were cut, flipped, zeroed or removed: it says in one sentence that the data is damaged
//! and ends, or it serves: right prices, errors in sentences, never a wrong price and never a panic.

// The same harm as to the store alone.
#[path = "../../../crates/storage-embedded/src/testing/harm/damage.rs"]
#[expect(clippy::unwrap_used, reason = "it belongs to tests in which nothing else is used")]
mod damage;

use std::fs;

use anyhow::{Context, ensure};
use hyper::Method;
use price_cache_simulator::Catalogue;
use price_cache_tests::{PATIENCE, Server, Settings, eventually};

use crate::stage::Stage;
use crate::stores::{use_kind, without_copies};

/// Harmed stores of each kind, with a copy to fall back on and without; `PRICE_CACHE_HARMED_SERVERS` changes it.
const CASES_DEFAULT: u64 = 6;
const MARKETS: u32 = 2;
const PRODUCTS: u32 = 400;

fn cases() -> u64 {
    std::env::var("PRICE_CACHE_HARMED_SERVERS")
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(CASES_DEFAULT)
}

/// A server on the harmed store; `None` where it ends because of it.
async fn opened(stage: &Stage) -> anyhow::Result<Option<Server>> {
    match stage.scene.server().await {
        Ok(server) => Ok(Some(server)),
        Err(error) if error.to_string().ends_with("ended before it listened: exit status: 1") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every price that is served is the right one, and the run that follows ends or says why it cannot.
async fn serves(stage: &Stage, server: Server) -> anyhow::Result<&'static str> {
    for market in stage.simulator.catalogue().markets() {
        for product in market.ids(0, 60) {
            let answer = server.api.price(market.id(), &product).await?;
            match answer.status {
                200 => {
                    let expected = market.price(&product).context("it is not sold")?;
                    let entry = answer.json()?;
                    ensure!(entry["product_id"] == *product, "{entry} is another product");
                    ensure!(entry["price"]["amount"] == *expected.amount, "{entry} instead of {expected:?}");
                }
                404 => {}
                500..=599 => ensure!(answer.json()?["detail"].is_string(), "no sentence: {}", answer.text()),
                other => anyhow::bail!("{other}: {}", answer.text()),
            }
        }
    }
    let started = server.api.ask(Method::POST, "/api/cache/prices/start").await?;
    ensure!([202, 409, 500, 503].contains(&started.status), "{started:?}");
    let end = eventually("an end of the run", PATIENCE, async || {
        let status = server.api.status().await?;
        Ok(match status.state.as_str() {
            "COMPLETED" => Some("completed"),
            "ERROR" => {
                ensure!(status.error_message.is_some_and(|message| !message.is_empty()), "no reason");
                Some("error")
            }
            _ if started.status >= 500 => Some("refused to start"),
            _ => None,
        })
    });
    let end = end.await?;
    server.terminate().await?;
    Ok(end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_harmed_store_never_serves_a_wrong_price() -> anyhow::Result<()> {
    for (kind, has_copy) in [("redb", true), ("redb", false), ("sled", true), ("sled", false)] {
        let case = || format!("{kind}, with a copy: {has_copy}");
        harmed(kind, has_copy).await.with_context(case)?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are of interest")]
async fn harmed(kind: &str, has_copy: bool) -> anyhow::Result<()> {
    let mut stage = Stage::new(Catalogue::synthetic(MARKETS, PRODUCTS), &Settings::default()).await?;
    use_kind(&mut stage, kind);
    if !has_copy {
        without_copies(&mut stage);
    }
    // Two runs, so that the log has something to forget; the second is killed in its middle.
    let server = stage.completed().await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    stage.slow_down(1);
    let mut server = stage.scene.server().await?;
    server.api.start().await?;
    stage.requests(MARKETS * PRODUCTS * 3 / 2).await?;
    server.kill().await?;
    stage.slow_down(0);
    fs::rename(stage.scene.path("data"), stage.scene.path("whole"))?;
    let mut ends = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 0..cases() {
        stage.scene.shell("rm -rf data && cp -r whole data").await?.expect(0)?;
        let harm = damage::damage(&stage.scene.path("data"), seed);
        let told_before = stage.scene.stderr().len();
        let case = || format!("seed {seed}: {harm}");
        let end = match opened(&stage).await.with_context(case)? {
            None => {
                let told = stage.scene.stderr();
                let told = told.get(told_before..).unwrap_or_default();
                let complaints = told.lines().filter(|line| line.contains("is damaged (")).count();
                ensure!(complaints == 1, "{}: not one sentence: {told}", case());
                "refused"
            }
            Some(server) => serves(&stage, server).await.with_context(case)?,
        };
        *ends.entry(end).or_default() += 1;
        let told = stage.scene.stderr();
        ensure!(!told.contains("panicked at") && !told.contains("RUST_BACKTRACE"), "{}: {told}", case());
    }
    println!("{} harmed stores of {kind}, with a copy: {has_copy}: {ends:?}", cases());
    ensure!(ends.contains_key("completed"), "some can be used: {ends:?}");
    ensure!(!has_copy || ends.len() == 1, "a copy mends every damage: {ends:?}");
    Ok(())
}
