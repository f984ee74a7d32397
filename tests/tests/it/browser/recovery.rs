//! A page whose server was killed and takes a while to recover.

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_tests::Settings;
use price_cache_tests::browser::{Appearance, Browser};
use serde_json::json;

use super::dashboard;
use crate::recovering::{hold_up, let_go, recovering};
use crate::stage::Stage;

const CONNECTION: &str = "document.getElementById('connection').dataset.kind";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_that_the_server_recovers_and_follows_the_events_again() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let stage = Stage::new(Catalogue::synthetic(1, 20), &Settings::default()).await?;
    let mut server = stage.completed().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.sees("that it is live", &format!("{CONNECTION} === 'live'")).await?;
    page.may_lose_server();
    server.kill().await?;

    let address = server.api.url().replace("http://", "");
    stage.scene.configure(&stage.source(), &Settings { listen: address, ..Settings::default() })?;
    hold_up(&stage).await?;
    let (launch, _) = recovering(&stage).await?;
    page.reads("#banner-text", "Recovering: the store is being opened").await?;
    let _reader = let_go(&stage).await?;
    let _server = launch.listening().await?;
    // Not the page that asks every two seconds, which is for servers without events.
    page.sees("that the server is back", &format!("{CONNECTION} !== 'lost'")).await?;
    ensure!(page.value(CONNECTION).await? == json!("live"), "the page does not follow the events");
    page.check()
}
