//! The doctor on stores that were damaged behind the program's back, through the real programs: what it says, what it
//! mends, and that the run goes on afterwards.

use std::fs;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::{PATIENCE, Settings, eventually};
use serde_json::Value;

use crate::stage::Stage;

const PRODUCTS: u32 = 40;
/// A record comes behind its format, which is one byte, and its checksum, which are four.
const CHECKSUM_END: usize = 5;
const PAIRS: u32 = 2 * PRODUCTS;

/// A stage whose run is complete and whose store nobody has open.
async fn completed() -> anyhow::Result<Stage> {
    let stage = Stage::new(Catalogue::synthetic(2, PRODUCTS), &Settings::default()).await?;
    let server = stage.completed().await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    Ok(stage)
}

/// Changes a tree of the store.
async fn tamper(
    stage: &Stage,
    tree: &str,
    change: impl Fn(&sled::Tree) -> sled::Result<()>,
) -> anyhow::Result<()> {
    let path = stage.scene.path("data/generation-000001");
    // A program that another test starts at this moment holds the lock too, until it has begun.
    let db = eventually("the lock of the store", PATIENCE, async || Ok(Some(sled::open(&path)?))).await?;
    let tree = db.open_tree(tree)?;
    change(&tree)?;
    db.flush()?;
    Ok(())
}

async fn doctor(stage: &Stage, arguments: &[&str], code: i32) -> anyhow::Result<(String, Value)> {
    let done = stage.scene.run(&[&["doctor", "--json"], arguments].concat()).await?.expect(code)?;
    Ok((done.stderr, serde_json::from_str(&done.stdout)?))
}

/// The records that were set aside: tree and key.
fn set_aside(found: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let file = found["repair"]["set_aside"].as_str().with_context(|| format!("no file in {found:#}"))?;
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line)?;
        let text = |field: &str| Some(line[field].as_str()?.to_owned());
        text("tree").zip(text("key")).context("no tree and key")
    };
    fs::read_to_string(file)?.lines().map(read).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The run goes on after a repair and every pair has a price; so many requests were made.
async fn goes_on(stage: &Stage, start: bool, requests: u32) -> anyhow::Result<()> {
    let server = stage.scene.server().await?;
    if start {
        server.api.start().await?;
    }
    let status = server.api.state("COMPLETED").await?;
    ensure!(status.completed() == u64::from(PAIRS) && status.failed() == 0, "{:#}", status.json);
    ensure!(server.terminate().await? == Some(0), "it ends well");
    let seen = stage.simulator.ledger().total_requests();
    ensure!(seen == requests, "{seen} requests instead of {requests}");
    let (_, healthy) = doctor(stage, &[], 0).await?;
    ensure!(healthy["healthy"] == true && healthy["state"] == "COMPLETED", "{healthy:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_is_named_set_aside_and_fetched_again() -> anyhow::Result<()> {
    let stage = completed().await?;
    let key = b"M002\0product-0000007";
    tamper(&stage, "entries", |entries| {
        entries.insert(key, &[1, 0xff])?;
        entries.insert("no pair", "nothing")?;
        Ok(())
    })
    .await?;
    let refused = stage.scene.failing_server().await?.expect(1)?;
    ensure!(refused.stderr.contains("price-cache doctor --repair"), "{}", refused.stderr);

    let told = stage.scene.run(&["doctor"]).await?.expect(1)?;
    for words in
        ["\"product-0000007\" in market \"M002\"", "no pair", "2 problems; nothing was changed", "--repair"]
    {
        ensure!(told.stderr.contains(words), "{words:?} is missing: {}", told.stderr);
    }
    let (_, found) = doctor(&stage, &[], 1).await?;
    let problem = |product: &str| {
        let problems = found["problems"].as_array()?;
        problems.iter().find(|problem| problem["product_id"].as_str() == Some(product))
    };
    ensure!(problem("product-0000007").is_some_and(|problem| problem["market_id"] == "M002"), "{found:#}");

    let (_, mended) = doctor(&stage, &["--repair"], 0).await?;
    ensure!(mended["healthy"] == true && mended["state"] == "PAUSED", "{mended:#}");
    let expected = [("entries".to_owned(), hex(key)), ("entries".to_owned(), hex(b"no pair"))];
    ensure!(set_aside(&mended)? == expected, "{:?}", set_aside(&mended)?);
    // By itself, and only for the one product.
    goes_on(&stage, false, PAIRS + 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_read_is_set_aside_and_its_prices_stay() -> anyhow::Result<()> {
    let stage = completed().await?;
    tamper(&stage, "meta", |meta| {
        for key in meta.scan_prefix("run/").keys() {
            meta.insert(key?, &[1, 0xff])?;
        }
        Ok(())
    })
    .await?;
    let (_, found) = doctor(&stage, &[], 1).await?;
    ensure!(found["problems_total"] == 1 && found["state"].is_null(), "{found:#}");
    let (_, mended) = doctor(&stage, &["--repair"], 0).await?;
    ensure!(mended["state"] == "IDLE" && mended["records"] == PAIRS, "{mended:#}");
    ensure!(set_aside(&mended)?.iter().all(|(tree, _)| tree == "meta"), "{mended:#}");
    let server = stage.scene.server().await?;
    ensure!(server.api.prices("M001").await?.len() == PRODUCTS as usize, "the prices are gone");
    ensure!(server.terminate().await? == Some(0), "it ends well");
    goes_on(&stage, true, 2 * PAIRS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_with_holes_is_given_up_and_the_prices_stay() -> anyhow::Result<()> {
    for is_gone in [true, false] {
        let stage = completed().await?;
        tamper(&stage, "plans", |plans| {
            let first = plans.first()?;
            let (key, _) = first.ok_or_else(|| sled::Error::Unsupported("no page".to_owned()))?;
            if is_gone {
                plans.remove(key)?.map(drop)
            } else {
                plans.insert(key, &[1, 0xff])?.map(drop)
            };
            Ok(())
        })
        .await?;
        let (_, found) = doctor(&stage, &[], 1).await?;
        ensure!(found["problems"].as_array().is_some_and(|problems| !problems.is_empty()), "{found:#}");
        let (_, mended) = doctor(&stage, &["--repair"], 0).await?;
        ensure!(mended["state"] == "IDLE" && mended["records"] == PAIRS, "{mended:#}");
        goes_on(&stage, true, 2 * PAIRS).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_contradicts_the_plan_is_set_aside() -> anyhow::Result<()> {
    let stage = completed().await?;
    // An outcome of the run for a product that the plan does not know, in the format that had no checksum over its key.
    tamper(&stage, "entries", |entries| {
        let known = entries.get("M001\0product-0000001")?.unwrap_or_default();
        let record = known.get(CHECKSUM_END..).unwrap_or_default();
        entries.insert("M001\0unplanned", [&[1], record].concat())?;
        Ok(())
    })
    .await?;
    let told = stage.scene.run(&["doctor"]).await?.expect(1)?;
    ensure!(told.stderr.contains("\"unplanned\" of market \"M001\""), "{}", told.stderr);
    let (_, mended) = doctor(&stage, &["--repair"], 0).await?;
    ensure!(mended["state"] == "COMPLETED" && mended["records"] == PAIRS, "{mended:#}");
    ensure!(set_aside(&mended)? == [("entries".to_owned(), hex(b"M001\0unplanned"))], "{mended:#}");
    goes_on(&stage, false, PAIRS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_program_wrote_is_left_alone() -> anyhow::Result<()> {
    let stage = completed().await?;
    let key = "M001\0product-0000003";
    tamper(&stage, "entries", |entries| entries.insert(key, &[9, 1, 2, 3]).map(drop)).await?;
    let (_, left) = doctor(&stage, &["--repair"], 1).await?;
    let problem = &left["problems"][0];
    ensure!(problem["repair"].is_null(), "{left:#}");
    ensure!(problem["way_out"].as_str().is_some_and(|way_out| way_out.contains("upgrade")), "{left:#}");
    ensure!(left["repair"]["set_aside"].is_null(), "{left:#}");
    tamper(&stage, "entries", |entries| {
        let value = entries.get(key)?.unwrap_or_default();
        if value.as_ref() == [9, 1, 2, 3] {
            Ok(())
        } else {
            Err(sled::Error::Unsupported("changed".to_owned()))
        }
    })
    .await
}
