//! A server with API keys: the page asks for one, says when it is wrong, and forgets it when told.

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_tests::Settings;
use price_cache_tests::browser::{Appearance, Browser};
use serde_json::json;

use super::dashboard;
use crate::stage::Stage;

const KEY: &str = "correct-horse";
/// `printf %s correct-horse | sha256sum`
const HASH: &str = "9dca666eb54730714630d1519264a7bf1eeaad00b8f2edc90d3ecbfad928d163";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_for_the_key_and_says_when_it_is_wrong() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let settings = Settings { server: format!("api_keys = [\"sha256:{HASH}\"]"), ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(1, 20), &settings).await?;
    let server = stage.scene.server().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    let asks = "document.getElementById('key-dialog').open";
    page.sees("the question for the key", asks).await?;
    page.picture("key-wide-light").await?;

    page.type_text("wrong").await?;
    page.press("Enter").await?;
    page.reads("#key-sentence", "The key that was given is not accepted").await?;
    page.click("#key-cancel").await?;
    page.reads("#connection-text", "API key needed").await?;
    page.click("#banner-action").await?;
    page.sees("the question again", asks).await?;
    page.type_text(KEY).await?;
    page.press("Enter").await?;
    page.sees("that it is live", "document.getElementById('connection').dataset.kind === 'live'").await?;
    page.reads("#state", "Idle").await?;
    page.click("#start").await?;
    page.reads("#state", "Completed").await?;
    let shown = page.value("document.documentElement.outerHTML").await?;
    ensure!(!shown.as_str().unwrap_or_default().contains(KEY), "the key is in the page");

    page.click("#forget-key").await?;
    page.sees("the question after the key was forgotten", asks).await?;
    ensure!(
        page.value("sessionStorage.length + localStorage.length").await? == json!(0),
        "something is kept"
    );
    page.check()
}
