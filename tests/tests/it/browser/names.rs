//! Markets and products whose names are markup: text everywhere, never elements.

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault, Market, Product};
use price_cache_tests::Settings;
use price_cache_tests::browser::{Appearance, Browser};
use serde_json::{Value, json};

use super::dashboard;
use crate::stage::Stage;

const MARKET: &str = "<b onmouseover=window.harmed=1>&amp;\"'";
const GOOD: &str = "<img src=x onerror=window.harmed=1>";
const FAILING: &str = "</td><script>window.harmed=1</script>";

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_markup_are_text_everywhere() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let products = vec![Product::new(GOOD, "19.99", "EUR"), Product::new(FAILING, "1.00", "EUR")];
    let catalogue = Catalogue::new(vec![Market::new(MARKET, products)]);
    let stage = Stage::new(catalogue, &Settings::default()).await?;
    stage.simulator.set_faults(Faults::always([FixedFault::pair(
        MARKET,
        FAILING,
        FaultKind::Status(404),
    )]))?;
    let server = stage.completed().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.reads("#state", "Completed").await?;
    page.reads("#markets-rows", MARKET).await?;
    page.click(".group-toggle").await?;
    page.reads("#failures-groups", FAILING).await?;
    page.reads("#failures-groups", MARKET).await?;
    page.click("#tab-log").await?;
    for name in [MARKET, GOOD, FAILING] {
        page.reads("#log-rows", name).await?;
    }
    page.click("#tab-search").await?;
    page.click("#search-product").await?;
    page.type_text(GOOD).await?;
    page.press("Enter").await?;
    page.reads("#search-rows", "19.99").await?;
    page.reads("#search-rows", MARKET).await?;
    page.picture("hostile-names-wide-light").await?;
    page.click("#tab-history").await?;
    let elements = "document.querySelectorAll('img[src=x], b, main script').length";
    ensure!(page.value(elements).await? == json!(0), "a name became an element");
    ensure!(page.value("window.harmed ?? null").await? == Value::Null, "a name was executed");
    page.check()
}
