//! The doctor on stores that were damaged behind the program's back, through the real programs: what it says, what it
//! mends, and that the run goes on afterwards.

use std::fs;

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_storage_embedded::Table;
use price_cache_tests::Settings;
use serde_json::Value;

use crate::stage::Stage;
use crate::stores::{self, Change, KINDS, use_kind, without_copies};

const PRODUCTS: u32 = 40;
/// A record comes behind its format, which is one byte, and its checksum, which are four.
const CHECKSUM_END: usize = 5;
const PAIRS: u32 = 2 * PRODUCTS;

/// A stage whose run is complete and whose store, of a kind, nobody has open.
async fn completed(kind: &str, has_copy: bool) -> anyhow::Result<Stage> {
    let mut stage = Stage::new(Catalogue::synthetic(2, PRODUCTS), &Settings::default()).await?;
    use_kind(&mut stage, kind);
    if !has_copy {
        without_copies(&mut stage);
    }
    let server = stage.completed().await?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    Ok(stage)
}

fn tamper(stage: &Stage, changes: &[Change<'_>]) -> anyhow::Result<()> {
    stores::tamper(&stage.scene.path("data"), changes)
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
    for kind in KINDS {
        a_record_that_cannot_be_read_is_named_set_aside_and_fetched_again_in(kind)
            .await
            .with_context(|| kind.to_owned())?;
    }
    Ok(())
}

async fn a_record_that_cannot_be_read_is_named_set_aside_and_fetched_again_in(
    kind: &str,
) -> anyhow::Result<()> {
    let stage = completed(kind, false).await?;
    let key = b"M002\0product-0000007";
    let odd: [Change<'_>; 2] =
        [(Table::Entries, key, Some(&[1, 0xff])), (Table::Entries, b"no pair", Some(b"nothing"))];
    tamper(&stage, &odd)?;
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
    for kind in KINDS {
        a_run_that_cannot_be_read_is_set_aside_and_its_prices_stay_in(kind)
            .await
            .with_context(|| kind.to_owned())?;
    }
    Ok(())
}

async fn a_run_that_cannot_be_read_is_set_aside_and_its_prices_stay_in(kind: &str) -> anyhow::Result<()> {
    let stage = completed(kind, false).await?;
    tamper(&stage, &[(Table::Meta, b"run/", Some(&[1, 0xff]))])?;
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
    for kind in KINDS {
        a_plan_with_holes_is_given_up_and_the_prices_stay_in(kind).await.with_context(|| kind.to_owned())?;
    }
    Ok(())
}

async fn a_plan_with_holes_is_given_up_and_the_prices_stay_in(kind: &str) -> anyhow::Result<()> {
    for is_gone in [true, false] {
        let stage = completed(kind, false).await?;
        let pages = stores::values(&stage.scene.path("data"), Table::Plans)?;
        let (page, _) = pages.first_key_value().context("no page")?;
        tamper(&stage, &[(Table::Plans, page, (!is_gone).then_some(&[1, 0xff]))])?;
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
    for kind in KINDS {
        a_record_that_contradicts_the_plan_is_set_aside_in(kind).await.with_context(|| kind.to_owned())?;
    }
    Ok(())
}

async fn a_record_that_contradicts_the_plan_is_set_aside_in(kind: &str) -> anyhow::Result<()> {
    let stage = completed(kind, false).await?;
    // An outcome of the run for a product that the plan does not know, in the format that had no checksum over its key.
    let entries = stores::values(&stage.scene.path("data"), Table::Entries)?;
    let known = &entries[b"M001\0product-0000001".as_slice()];
    let unplanned = [&[1], known.get(CHECKSUM_END..).unwrap_or_default()].concat();
    tamper(&stage, &[(Table::Entries, b"M001\0unplanned", Some(&unplanned))])?;
    let told = stage.scene.run(&["doctor"]).await?.expect(1)?;
    ensure!(told.stderr.contains("\"unplanned\" of market \"M001\""), "{}", told.stderr);
    let (_, mended) = doctor(&stage, &["--repair"], 0).await?;
    ensure!(mended["state"] == "COMPLETED" && mended["records"] == PAIRS, "{mended:#}");
    ensure!(set_aside(&mended)? == [("entries".to_owned(), hex(b"M001\0unplanned"))], "{mended:#}");
    goes_on(&stage, false, PAIRS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_program_wrote_is_left_alone() -> anyhow::Result<()> {
    for kind in KINDS {
        what_a_newer_program_wrote_is_left_alone_in(kind).await.with_context(|| kind.to_owned())?;
    }
    Ok(())
}

async fn what_a_newer_program_wrote_is_left_alone_in(kind: &str) -> anyhow::Result<()> {
    let stage = completed(kind, false).await?;
    let (key, newer) = (b"M001\0product-0000003".as_slice(), [9, 1, 2, 3].as_slice());
    tamper(&stage, &[(Table::Entries, key, Some(newer))])?;
    let (_, left) = doctor(&stage, &["--repair"], 1).await?;
    let problem = &left["problems"][0];
    ensure!(problem["repair"].is_null(), "{left:#}");
    ensure!(problem["way_out"].as_str().is_some_and(|way_out| way_out.contains("upgrade")), "{left:#}");
    ensure!(left["repair"]["set_aside"].is_null(), "{left:#}");
    let entries = stores::values(&stage.scene.path("data"), Table::Entries)?;
    ensure!(entries.get(key).map(Vec::as_slice) == Some(newer), "it was changed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_rebuilds_a_damaged_store_from_its_copy_and_asks_for_nothing_again() -> anyhow::Result<()> {
    for kind in KINDS {
        let stage = completed(kind, true).await?;
        let lost: [Change<'_>; 2] = [
            (Table::Entries, b"M002\0product-0000007", Some(&[1, 0xff])),
            (Table::Entries, b"M001\0product-0000003", None),
        ];
        tamper(&stage, &lost)?;
        let told = stage.scene.run(&["doctor"]).await?.expect(1)?;
        ensure!(told.stderr.contains("copy       made 20"), "{}", told.stderr);
        goes_on(&stage, false, PAIRS).await.with_context(|| kind.to_owned())?;
        let told = stage.scene.stderr();
        ensure!(told.contains("was rebuilt from the copy of 20"), "one sentence says so: {told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_which_nothing_is_left_is_rebuilt_by_the_doctor() -> anyhow::Result<()> {
    for kind in KINDS {
        let stage = completed(kind, true).await?;
        let file = stores::main_file(&stage.scene.path("data"))?;
        fs::write(&file, vec![0; fs::read(&file)?.len()])?;
        let (_, found) = doctor(&stage, &[], 1).await?;
        ensure!(found["healthy"] == false && found["fallback_copy"]["entries"] == PAIRS, "{found:#}");
        ensure!(found["problems"][0]["repair"].is_string(), "{found:#}");
        let (_, mended) = doctor(&stage, &["--repair"], 0).await?;
        ensure!(mended["records"] == PAIRS && mended["state"] == "COMPLETED", "{mended:#}");
        goes_on(&stage, false, PAIRS).await.with_context(|| kind.to_owned())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_moves_to_the_other_kind_and_back() -> anyhow::Result<()> {
    let stage = completed("sled", true).await?;
    let export = async || -> anyhow::Result<Vec<Value>> {
        let server = stage.scene.server().await?;
        let mut found = server.api.prices("M001").await?;
        found.extend(server.api.prices("M002").await?);
        // The age of a price is another one each time.
        found.iter_mut().filter_map(Value::as_object_mut).for_each(|entry| drop(entry.remove("age_seconds")));
        ensure!(server.terminate().await? == Some(0), "it ends well");
        Ok(found)
    };
    let before = export().await?;
    for kind in KINDS {
        let told = stage.scene.run(&["store", "move", "--to", kind]).await?.expect(0)?;
        ensure!(told.stderr.contains(&format!("moved {PAIRS} records")), "{}", told.stderr);
        let (_, found) = doctor(&stage, &[], 0).await?;
        ensure!(found["kind"] == kind && found["state"] == "COMPLETED", "{found:#}");
        ensure!(export().await? == before, "{kind}: other prices");
        let told = stage.scene.run(&["store", "move", "--to", kind]).await?.expect(0)?;
        ensure!(told.stderr.contains("already"), "{}", told.stderr);
    }
    let told = stage.scene.run(&["store", "move", "--to", "paper"]).await?.expect(2)?;
    ensure!(told.stderr.contains("redb"), "{}", told.stderr);
    Ok(())
}
