//! One run of the real server over all faults, each in a market of its own: what becomes of each, that nothing
//! wrong is ever cached, that the others have their prices, and that memory stays bounded.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use price_cache_simulator::raw::BlackHole;
use price_cache_tests::{Scene, Server, Settings, StatusView, Usage, free_address};
use serde_json::Value;

use super::connections::Places;
use super::row::{AMOUNT, Becomes, FAULTY, Row};
use super::upstream::{PRODUCTS, Upstream};
use super::{answers, connections};

/// A body of 10 GB, a bomb of 64 MiB and the others together may take this much memory more than a server that
/// has just begun.
const MEMORY_GROWTH_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// No wait that an upstream asks for makes a run longer than this, on a machine that does much else.
const RUN_TIME_MAX: Duration = Duration::from_secs(60);

/// All lines of the table.
pub(crate) fn rows(places: &Places) -> anyhow::Result<Vec<Row>> {
    Ok([connections::rows(places)?, answers::rows()].concat())
}

fn settings(rows: &[Row]) -> anyhow::Result<Settings> {
    Ok(Settings {
        parallel_markets: u32::try_from(rows.len())?,
        end_of_market_retry: false,
        // Each fault is met twice, and none of them is to be spared.
        retry: "budget_start = 1000\nretry_after_max = \"200ms\"".to_owned(),
        ..Settings::default()
    })
}

/// The entry of a product; `None` where there never was one.
async fn entry(server: &Server, row: &Row, product: &str) -> anyhow::Result<Option<Value>> {
    let answer = server.api.price(row.fault, product).await?;
    match answer.status {
        200 => Ok(Some(answer.json()?)),
        404 => Ok(None),
        other => bail!("status {other}: {}", answer.text()),
    }
}

async fn completed(server: &Server, verb: &str) -> anyhow::Result<StatusView> {
    let before = server.api.status().await?.json["current_state"]["completed_at"].clone();
    let answer = server.api.command(verb).await?;
    ensure!(answer.status == 202, "{verb}: {answer:?}");
    let is_done = |status: &StatusView| {
        status.state == "COMPLETED" && status.json["current_state"]["completed_at"] != before
    };
    server.api.status_where(&format!("the end after {verb}"), is_done).await
}

/// What is wrong with one line of the table, in a word per line.
async fn checked(server: &Server, row: &Row, errors: &[Value], good: Option<&str>) -> anyhow::Result<()> {
    for product in PRODUCTS.into_iter().filter(|product| *product != FAULTY) {
        let entry = entry(server, row, product).await?.context("a neighbour was never fetched")?;
        ensure!(entry["price"]["amount"] == AMOUNT, "its neighbour {product} suffers: {entry}");
    }
    let error = errors.iter().find(|error| error["market"] == row.fault);
    let entry = entry(server, row, FAULTY).await?;
    let cached = entry.as_ref().and_then(|entry| entry["price"]["amount"].as_str());
    match row.becomes {
        Becomes::Priced(amount) => {
            ensure!(error.is_none(), "failed: {error:?}");
            ensure!(cached == Some(amount), "cached as {entry:?}, not as {amount}");
        }
        Becomes::Failed { class, reads } => {
            let error = error.with_context(|| format!("not failed, but cached as {entry:?}"))?;
            ensure!(cached == good, "cached as {entry:?}, not as {good:?}");
            let message = error["message"].as_str().context("no message")?;
            let message =
                message.rsplit_once(" (GET /price/").context("the message does not say what was asked")?.0;
            ensure!(error["class"] == class && message == reads, "{}: {message}", error["class"]);
            ensure!(
                error["attempts"] == row.requests,
                "{} requests, not {}",
                error["attempts"],
                row.requests
            );
            if let (Some(entry), Some(_)) = (entry, good) {
                ensure!(entry["last_error"]["class"] == class, "what it is is not told: {entry}");
            }
        }
    }
    Ok(())
}

/// Every line at once: where some are wrong, all of them are told.
async fn check(server: &Server, rows: &[Row], good: Option<&str>) -> anyhow::Result<()> {
    let errors = server.api.failed_products().await?;
    let mut wrong = Vec::new();
    for row in rows {
        if let Err(error) = checked(server, row, &errors, good).await {
            wrong.push(format!("{}: {error:#}", row.fault));
        }
    }
    ensure!(
        wrong.is_empty(),
        "{} of {} faults became something else:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the figures are of interest")]
async fn every_fault_becomes_what_the_table_says() -> anyhow::Result<()> {
    let black_hole = BlackHole::open().await?;
    let refusing = free_address()?;
    let places = Places { refusing, black_hole: black_hole.address() };
    let rows = rows(&places)?;
    let upstream = Upstream::start(&rows).await?;
    let source = upstream.source(&rows, &places.origins());
    let scene = Scene::new(&source, &settings(&rows)?)?;
    let server = scene.server().await?;
    let before = Usage::of(server.id()?)?.memory_peak_bytes;
    let failing = rows.iter().filter(|row| matches!(row.becomes, Becomes::Failed { .. })).count() as u64;

    let begun = Instant::now();
    let faulty = completed(&server, "start").await?;
    let took = begun.elapsed();
    ensure!(took < RUN_TIME_MAX, "the run took {took:?}");
    ensure!(faulty.completed() == faulty.total() && faulty.failed() == failing, "{:#}", faulty.json);
    check(&server, &rows, None).await?;
    for row in rows.iter().filter(|row| matches!(row.becomes, Becomes::Priced(_))) {
        ensure!(
            upstream.requests(row.fault) as u64 == row.requests,
            "{} is not what it is called",
            row.fault
        );
    }

    upstream.set_well(true);
    let well = completed(&server, "retry-failed").await?;
    ensure!(well.failed() == 0, "what failed can be had now: {:#}", well.json);

    upstream.set_well(false);
    let again = completed(&server, "start").await?;
    ensure!(again.failed() == failing, "{:#}", again.json);
    check(&server, &rows, Some(AMOUNT)).await?;

    upstream.was_asked_one_by_one()?;
    let growth = Usage::of(server.id()?)?.memory_peak_bytes.saturating_sub(before);
    ensure!(growth < MEMORY_GROWTH_BYTES_MAX, "the server grew by {growth} bytes");
    println!("{} faults met in {took:.1?}; the server grew by {growth} bytes", rows.len());
    ensure!(server.terminate().await? == Some(0), "a server ends well");
    Ok(())
}
