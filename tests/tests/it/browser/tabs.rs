//! Two tabs, and a server that dies under them.

use anyhow::ensure;
use price_cache_simulator::Catalogue;
use price_cache_tests::Settings;
use price_cache_tests::browser::{Appearance, Browser};
use serde_json::json;

use super::dashboard;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_agree_and_come_back_after_the_server_was_killed() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let stage = Stage::new(Catalogue::synthetic(2, 2_000), &Settings::default()).await?;
    stage.slow_down(20);
    let mut server = stage.scene.server().await?;
    let first = dashboard(&browser, &server, Appearance::WIDE).await?;
    let second = dashboard(&browser, &server, Appearance::NARROW).await?;
    let tabs = [&first, &second];
    for tab in tabs {
        tab.value("window.loadedOnce = true").await?;
    }
    first.to_front().await?;
    first.reads("#state", "Idle").await?;
    first.click("#start").await?;
    second.to_front().await?;
    second.reads("#state", "Running").await?;
    second.click("#stop").await?;
    second.reads("#state", "Paused").await?;
    first.to_front().await?;
    first.reads("#state", "Paused").await?;
    first.reads("#start", "Resume").await?;
    let count = "document.getElementById('progress-count').innerText";
    let at_rest = first.value(count).await?;
    second.to_front().await?;
    second.sees("the same progress in both tabs", &format!("{count} === {at_rest}")).await?;

    second.click("#start").await?;
    second.reads("#state", "Running").await?;
    let before = server.api.status().await?.completed();
    for tab in tabs {
        tab.may_lose_server();
    }
    server.kill().await?;
    for (tab, name) in [(&second, "lost-narrow-light"), (&first, "lost-wide-light")] {
        tab.to_front().await?;
        tab.sees(
            "that the connection is lost",
            "document.getElementById('connection').dataset.kind === 'lost'",
        )
        .await?;
        tab.reads("#banner-text", "Connection lost").await?;
        tab.picture(name).await?;
    }

    let address = server.api.url().replace("http://", "");
    let settings = Settings { listen: address, ..Settings::default() };
    stage.scene.configure(&stage.source(), &settings)?;
    let server = stage.scene.server().await?;
    for tab in tabs {
        tab.to_front().await?;
        tab.sees("that it is live again", "document.getElementById('connection').dataset.kind === 'live'")
            .await?;
        tab.reads("#state", "Running").await?;
        ensure!(tab.value("window.loadedOnce").await? == json!(true), "the page was loaded again");
    }
    ensure!(server.api.status().await?.completed() >= before, "progress was taken back");
    for tab in tabs {
        tab.check()?;
    }
    Ok(())
}
