//! States that are hard to come by, and every state on a narrow screen: pictured, and nothing wider than the window.

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults};
use price_cache_tests::Settings;
use price_cache_tests::browser::{Appearance, Browser, Page};
use serde_json::json;

use super::dashboard;
use crate::stage::Stage;

async fn picture(page: &Page, state: &str) -> anyhow::Result<()> {
    let appearances = [
        ("wide-light", Appearance::WIDE),
        ("wide-dark", Appearance::WIDE.dark()),
        ("narrow-light", Appearance::NARROW),
        ("narrow-dark", Appearance::NARROW.dark()),
    ];
    for (name, appearance) in appearances {
        page.look(appearance).await?;
        let fits = "document.documentElement.scrollWidth <= window.innerWidth";
        ensure!(page.value(fits).await? == json!(true), "{state} is wider than the window of {appearance:?}");
        page.picture(&format!("{state}-{name}")).await?;
    }
    page.look(Appearance::WIDE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_fits_every_screen() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let run = "[run.parking]\nfailures_in_a_row = 3\nprobe_delay_start = \"1h\"\nprobe_delay_max = \"1h\"";
    let settings = Settings { run: run.to_owned(), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(6, 400), &settings).await?;
    stage.slow_down(15);
    let server = stage.scene.server().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.reads("#state", "Idle").await?;
    picture(&page, "empty").await?;

    page.click("#start").await?;
    page.reads("#state", "Running").await?;
    picture(&page, "running").await?;
    stage.simulator.set_faults(Faults::market("M002", FaultKind::Status(503)))?;
    page.reads("#markets-rows", "Parked until").await?;
    picture(&page, "parked").await?;
    stage.simulator.set_faults(Faults::everywhere(FaultKind::Status(503)))?;
    page.reads("#state", "Error").await?;
    picture(&page, "error").await?;

    stage.simulator.set_faults(Faults::default())?;
    stage.slow_down(0);
    page.reads("#start", "Retry").await?;
    page.click("#start").await?;
    page.reads("#state", "Completed").await?;
    picture(&page, "completed").await?;
    page.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_markets_are_a_list_that_can_be_searched() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let settings = Settings { parallel_markets: 16, ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(500, 40), &settings).await?;
    stage.slow_down(20);
    let server = stage.scene.server().await?;
    server.api.start().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.reads("#markets-count", "500").await?;
    page.reads("#state", "Running").await?;
    page.reads("#markets-rows", "Fetching").await?;
    picture(&page, "many-markets").await?;
    let rows = "document.querySelectorAll('#markets-rows .row').length";
    let drawn = page.value(rows).await?;
    ensure!(drawn.as_u64().is_some_and(|drawn| drawn < 60), "{drawn} rows are drawn");
    page.value("document.getElementById('markets-table').focus()").await?;
    page.press("End").await?;
    page.reads("#markets-rows", "M500").await?;
    page.value("document.getElementById('markets-filter').focus()").await?;
    page.type_text("m25").await?;
    page.reads("#markets-count", "10 of 500").await?;
    page.reads("#markets-rows", "M259").await?;
    page.check()
}
