//! One run from its first press of a button to its reset, without ever loading the page again.

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::browser::{Appearance, Browser, Page};
use price_cache_tests::{PATIENCE, Settings, eventually};
use serde_json::json;

use super::dashboard;
use crate::stage::Stage;

const FAILING: [&str; 3] = ["product-0000002", "product-0000003", "product-0000005"];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_operated_by_buttons_and_watched_without_loading_the_page_again() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let stage = Stage::new(Catalogue::synthetic(3, 200), &Settings::default()).await?;
    let failing = FAILING.map(|product| FixedFault::pair("M002", product, FaultKind::Status(404)));
    stage.simulator.set_faults(Faults::always(failing))?;
    stage.slow_down(20);
    let server = stage.scene.server().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.value("window.loadedOnce = true").await?;
    page.reads("#state", "Idle").await?;
    page.picture("empty-wide-light").await?;

    // What the state refuses says why, and the server's own words are shown when it is asked all the same.
    page.click("#stop").await?;
    page.reads("#message-text", "Nothing is running.").await?;
    page.value("document.getElementById('retry-failed').removeAttribute('aria-disabled')").await?;
    page.click("#retry-failed").await?;
    let refused = server.api.command("retry-failed").await?;
    ensure!(refused.status == 409, "{refused:?}");
    let sentence = refused.json()?["detail"].as_str().unwrap_or_default().to_owned();
    eventually("the server's own words", PATIENCE, async || {
        let shown = page.text("#message-text").await?;
        Ok(shown.trim_end_matches('.').eq_ignore_ascii_case(sentence.trim_end_matches('.')).then_some(()))
    })
    .await?;

    page.click("#start").await?;
    page.reads("#state", "Running").await?;
    let first = progress(&page).await?;
    let moved = format!("Number(document.getElementById('progress').ariaValueNow) > {first} + 2");
    page.sees("progress that moves", &moved).await?;
    page.sees("time left", "/left/.test(document.getElementById('eta').innerText)").await?;
    page.picture("running-wide-light").await?;

    page.click("#stop").await?;
    page.reads("#state", "Paused").await?;
    page.reads("#reason", "Stopped by hand").await?;
    let paused = server.api.state("PAUSED").await?;
    ensure!(paused.completed() > 0 && paused.completed() < 600, "{:#}", paused.json);

    page.reads("#start", "Resume").await?;
    page.click("#start").await?;
    page.reads("#state", "Running").await?;
    stage.slow_down(0);
    page.reads("#state", "Completed").await?;
    let is_gone = page.value("document.getElementById('message').hidden").await?;
    ensure!(is_gone == json!(true), "it still says that the run is under way");
    page.reads("#reason", "3 without a price").await?;
    page.reads("#failures-count", "3").await?;
    page.click(".group-toggle").await?;
    for product in FAILING {
        page.reads("#failures-groups", product).await?;
    }
    page.picture("completed-with-failures-wide-light").await?;

    stage.simulator.set_faults(Faults::default())?;
    page.click("#retry-failed").await?;
    page.reads("#reason", "Every product has its price").await?;
    page.picture("completed-wide-light").await?;

    page.click("#tab-history").await?;
    page.sees("every transition", "document.querySelectorAll('#history-rows tr').length === 7").await?;
    page.click("#reset").await?;
    page.reads("#reset-list", "600 cached prices of 3 markets").await?;
    page.picture("reset-wide-light").await?;
    page.click("#reset-cancel").await?;
    page.sees("the question gone", "!document.getElementById('reset-dialog').open").await?;
    server.api.state("COMPLETED").await?;
    page.click("#reset").await?;
    page.click("#reset-confirm").await?;
    page.reads("#state", "Idle").await?;
    let idle = server.api.state("IDLE").await?;
    ensure!(idle.completed() == 0, "{:#}", idle.json);
    let prices = server.api.get("/api/prices").await?;
    ensure!(prices["markets"] == json!([]), "prices are left: {prices}");
    ensure!(page.value("window.loadedOnce").await? == json!(true), "the page was loaded again");
    page.check()
}

async fn progress(page: &Page) -> anyhow::Result<f64> {
    let now = page.value("Number(document.getElementById('progress').ariaValueNow ?? 0)").await?;
    Ok(now.as_f64().unwrap_or_default())
}
