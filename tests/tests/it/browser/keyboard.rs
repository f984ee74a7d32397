//! Everything can be reached and done with the keyboard alone, and one sees where one is.

use anyhow::{Context, ensure};
use price_cache_simulator::Catalogue;
use price_cache_tests::Settings;
use price_cache_tests::browser::{Appearance, Browser, Page};
use serde_json::json;

use super::dashboard;
use crate::stage::Stage;

/// More elements than a page of these tests has.
const TABS_MAX: usize = 60;
/// What a person without a mouse must come to, in this order.
const CONTROLS: [&str; 7] =
    ["start", "stop", "retry-failed", "reset", "markets-filter", "markets-table", "tab-failures"];

/// Whether the focus can be seen.
const OUTLINED: &str = "(() => { const style = getComputedStyle(document.activeElement); \
     return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1; })()";

/// The id of the element with the focus; where it has none, what it is.
async fn focused(page: &Page) -> anyhow::Result<String> {
    let id = page.value(
        "document.activeElement.id || document.activeElement.className || document.activeElement.tagName",
    );
    Ok(id.await?.as_str().unwrap_or_default().to_owned())
}

/// Presses Tab until an element has the focus.
async fn tab_to(page: &Page, id: &str) -> anyhow::Result<()> {
    for _ in 0..TABS_MAX {
        if focused(page).await? == id {
            return Ok(());
        }
        page.press("Tab").await?;
    }
    anyhow::bail!("Tab does not come to {id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_does_everything() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let stage = Stage::new(Catalogue::synthetic(3, 300), &Settings::default()).await?;
    stage.slow_down(20);
    let server = stage.scene.server().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.to_front().await?;
    page.reads("#state", "Idle").await?;

    tab_to(&page, "start").await?;
    page.press("Enter").await?;
    page.reads("#state", "Running").await?;
    tab_to(&page, "stop").await?;
    page.press(" ").await?;
    page.reads("#state", "Paused").await?;

    // The walk: every stop can be seen, and all controls are on the way.
    page.value("document.activeElement.blur(); scrollTo(0, 0)").await?;
    page.value("document.querySelector('.skip').focus()").await?;
    let mut stops: Vec<String> = Vec::new();
    while stops.len() < TABS_MAX {
        let stop = focused(&page).await?;
        if stop == "BODY" || stops.first() == Some(&stop) {
            break;
        }
        ensure!(page.value(OUTLINED).await? == json!(true), "the focus on {stop} cannot be seen");
        stops.push(stop);
        page.press("Tab").await?;
    }
    let mut rest = stops.iter();
    for control in CONTROLS {
        rest.find(|stop| *stop == control)
            .with_context(|| format!("Tab does not come to {control} in order: {stops:?}"))?;
    }

    tab_to(&page, "tab-failures").await?;
    for tab in ["log", "search", "history"] {
        page.press("ArrowRight").await?;
        let open = format!(
            "document.activeElement.id === 'tab-{tab}' && !document.getElementById('panel-{tab}').hidden"
        );
        page.sees("the next tab", &open).await?;
    }
    page.press("Home").await?;
    ensure!(focused(&page).await? == "tab-failures");

    // A market is chosen with the arrows, and Enter shows its fetches.
    tab_to(&page, "markets-table").await?;
    page.press("ArrowDown").await?;
    page.press("ArrowDown").await?;
    page.press("Enter").await?;
    page.sees("the log of a market", "document.getElementById('log-market').value !== ''").await?;

    tab_to(&page, "reset").await?;
    page.press("Enter").await?;
    page.sees("the question", "document.getElementById('reset-dialog').open").await?;
    for key in ["Tab", "Tab", "Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab"] {
        page.press(key).await?;
        let inside = "document.activeElement === document.body || document.getElementById('reset-dialog').contains(document.activeElement)";
        ensure!(page.value(inside).await? == json!(true), "the focus left the question");
    }
    page.press("Escape").await?;
    page.sees("the question gone", "!document.getElementById('reset-dialog').open").await?;
    ensure!(focused(&page).await? == "reset", "the focus is not where it was");
    server.api.state("PAUSED").await?;
    page.press("Enter").await?;
    page.sees("the question", "document.getElementById('reset-dialog').open").await?;
    tab_to(&page, "reset-confirm").await?;
    page.press("Enter").await?;
    page.reads("#state", "Idle").await?;
    page.check()
}
