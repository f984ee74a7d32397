//! The dashboard of 500 markets with 2,000 products each, in a real browser beside a run at full speed: how soon it
//! paints, how much processor time its page takes, and how fast the status answers meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_tests::browser::{Appearance, Browser, Page};
use serde_json::json;
use tokio::runtime::Runtime;

use super::api::Api;
use super::place::Place;
use super::programs::{Server, Upstream};
use super::report::{Aim, Report, progress};
use super::size::Size;
use super::speed::status_times;
use super::statistics::{median, quantile};

/// Markets, and products of each.
const CATALOGUE: (u32, u32) = (500, 2_000);
/// Markets that are walked at a time.
const PARALLEL_MARKETS: u32 = 16;
/// How often the page is loaded, each time with an empty cache.
const LOADS: usize = 5;
/// From the beginning of the load to the first paint, and to the first market on the screen.
const PAINT_MS_MAX: f64 = 1_000.0;
/// Of one core, while the run goes on.
const PAGE_CORES_MAX: f64 = 0.25;
/// Of the answers to the status.
const STATUS_MS_P99_MAX: f64 = 5.0;
/// How often the progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Notes when the first market is on the screen: after the frame that has its row.
const NOTE_FIRST_MARKET: &str = "\
    new MutationObserver((_, observer) => {
      if (document.querySelector('#markets-rows .row .name')?.textContent) {
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => { window.firstMarketAt = performance.now(); }));
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });";
const FIRST_PAINT: &str = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";

/// Measures and reports.
pub(crate) fn measure(report: &mut Report, size: &Size) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    report
        .heading("The dashboard of 500 markets with 2000 products each, while 16 of them run at full speed");
    let Some(browser) = runtime.block_on(Browser::start())? else {
        report.paragraph("Left out: there is no Chromium here.");
        return Ok(());
    };
    progress("the dashboard of 500 markets");
    let upstream = Upstream::start(CATALOGUE, None)?;
    upstream.set_latency(Duration::ZERO)?;
    let place = Place::new(&upstream, PARALLEL_MARKETS)?;
    let mut server = Server::start(&place, None)?;
    server.api.start()?;
    server.api.status_where(LOOK_INTERVAL, |status| status.completed > 0)?;

    let page = runtime.block_on(open(&browser, &server))?;
    let (paints, markets) = runtime.block_on(loads(&page, &server))?;
    let failures = share(&runtime, &browser, size.window * 2)?;
    runtime.block_on(async {
        page.click("#tab-log").await?;
        page.sees("the log", "document.querySelector('#log-rows .row') !== null").await
    })?;
    let log = share(&runtime, &browser, size.window * 2)?;
    // The connection of before has rested for longer than the server keeps one open.
    server.api = Api::new(server.api.url())?;
    let seconds = status_times(&server, size.status_answers)?;
    runtime.block_on(async { page.check() })?;
    server.kill()?;

    let aim = |value: f64, limit: f64| {
        let aim = Aim::AtMost(limit);
        format!("{aim}: {}", aim.verdict(value))
    };
    let slowest = |values: &[f64]| quantile(values, 1.0);
    let p99 = quantile(&seconds, 0.99) * 1e3;
    report.table(
        ["figure", "value", "aim"],
        &[
            row("first paint, ms, median of 5 loads", median(&paints), "none".to_owned()),
            row("the slowest of them", slowest(&paints), aim(slowest(&paints), PAINT_MS_MAX)),
            row("first market on the screen, ms, median", median(&markets), "none".to_owned()),
            row("the slowest of them", slowest(&markets), aim(slowest(&markets), PAINT_MS_MAX)),
            share_row("processor time of the page, of one core", failures, aim(failures, PAGE_CORES_MAX)),
            share_row("the same with the fetch log open", log, aim(log, PAGE_CORES_MAX)),
            row("status, ms, p50", quantile(&seconds, 0.5) * 1e3, "none".to_owned()),
            row("status, ms, p99", p99, aim(p99, STATUS_MS_P99_MAX)),
        ],
    );
    Ok(())
}

fn row(name: &str, value: f64, aim: String) -> [String; 3] {
    [name.to_owned(), format!("{value:.1}"), aim]
}

fn share_row(name: &str, value: f64, aim: String) -> [String; 3] {
    [name.to_owned(), format!("{value:.2}"), aim]
}

/// A tab that notes when it shows the first market.
async fn open(browser: &Browser, server: &Server) -> anyhow::Result<Page> {
    let page = browser.open(&format!("{}/", server.api.url()), Appearance::WIDE).await?;
    page.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": NOTE_FIRST_MARKET})).await?;
    page.call("Network.setCacheDisabled", json!({"cacheDisabled": true})).await?;
    page.to_front().await?;
    Ok(page)
}

/// Milliseconds to the first paint and to the first market, of each load.
async fn loads(page: &Page, server: &Server) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut paints, mut markets) = (Vec::new(), Vec::new());
    for _ in 0..LOADS {
        page.go(&format!("{}/", server.api.url())).await?;
        page.sees("the first market", "window.firstMarketAt > 0").await?;
        markets.push(number(page, "window.firstMarketAt").await?);
        paints.push(number(page, FIRST_PAINT).await?);
    }
    // What the protocol tells of every piece of the stream would be counted as work of the page.
    page.call("Network.disable", json!({})).await?;
    Ok((paints, markets))
}

async fn number(page: &Page, expression: &str) -> anyhow::Result<f64> {
    page.value(expression).await?.as_f64().with_context(|| format!("no number: {expression}"))
}

/// The share of one core that the page's process takes.
fn share(runtime: &Runtime, browser: &Browser, window: Duration) -> anyhow::Result<f64> {
    let look = || anyhow::Ok((runtime.block_on(browser.renderer_seconds())?, Instant::now()));
    let (before, begun) = look()?;
    std::thread::sleep(window);
    let (after, ended) = look()?;
    ensure!(after > before, "the page did nothing");
    Ok((after - before) / ended.duration_since(begun).as_secs_f64())
}
