//! Crowds that hold connections: silent, dripping, and following the events without reading them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_tests::{Api, PATIENCE, Raw, eventually};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Attacked;

const SILENT: usize = 500;
const DRIPPING: usize = 500;
/// Between two bytes of a client that drips.
const DRIP_INTERVAL: Duration = Duration::from_millis(50);
const SUBSCRIBERS_MAX: usize = 64;
/// Statuses that are timed.
const STATUSES: usize = 300;
/// What is promised of one in a hundred statuses at worst.
const STATUS_TIME_MAX: Duration = Duration::from_millis(100);
/// A machine that does much else may be slow before anybody attacks; then so many times slower is allowed.
const SLOWER_MAX: u32 = 10;

/// The 99th percentile of the time that a status takes, connecting included.
async fn status_time(api: &Api) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(STATUSES);
    for _ in 0..STATUSES {
        let begun = Instant::now();
        api.status().await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[STATUSES * 99 / 100])
}

#[expect(clippy::print_stdout, reason = "the figures are of interest")]
async fn is_quick(api: &Api, before: Duration, what: &str) -> anyhow::Result<()> {
    let during = status_time(api).await?;
    println!("status at the 99th percentile: {before:.1?} before, {during:.1?} with {what}");
    let most = STATUS_TIME_MAX.max(before * SLOWER_MAX);
    ensure!(during <= most, "a status takes {during:?} with {what}, {before:?} before");
    Ok(())
}

/// This test is both ends of every connection but the server's own.
fn allow_many_files() -> anyhow::Result<()> {
    let limits = getrlimit(Resource::Nofile);
    let current = limits.maximum.map_or(8_192, |maximum| maximum.min(8_192));
    if limits.current.is_some_and(|now| now < current) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limits })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_silent_and_five_hundred_dripping_clients_keep_nobody_waiting() -> anyhow::Result<()> {
    allow_many_files()?;
    let attacked = Attacked::new().await?;
    let api = attacked.server.api;
    let before = status_time(&api).await?;
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(Raw::open(api.address()).await?);
    }
    let mut dripping = Vec::new();
    for _ in 0..DRIPPING {
        let mut connection = Raw::open(api.address()).await?;
        connection.send("GET /api/cache/prices/status HTTP/1.1\r\nHost: localhost\r\nA: ").await?;
        dripping.push(connection);
    }
    // On a task of its own: what the clients cost themselves is not to count.
    let is_over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_over);
    let dripping = tokio::spawn(async move {
        // The header never ends.
        while !told.load(Ordering::Relaxed) {
            for connection in &mut dripping {
                connection.send("x").await?;
            }
            tokio::time::sleep(DRIP_INTERVAL).await;
        }
        anyhow::Ok(dripping)
    });
    is_quick(&api, before, "500 silent and 500 dripping clients").await?;
    // In the end they are let go, whether they say something or not.
    for connection in &mut silent {
        let told = connection.rest().await?;
        ensure!(told.is_empty(), "a silent client is told {:?}", String::from_utf8_lossy(&told));
    }
    is_over.store(true, Ordering::Relaxed);
    for connection in &mut dripping.await?? {
        let told = connection.rest().await?;
        let told = String::from_utf8_lossy(&told);
        ensure!(told.is_empty() || told.starts_with("HTTP/1.1 408 "), "a dripping client is told {told:?}");
    }
    attacked.ends_untouched().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_have_64_places_and_stalled_readers_hold_up_nobody() -> anyhow::Result<()> {
    allow_many_files()?;
    let attacked = Attacked::new().await?;
    let api = attacked.server.api;
    let before = status_time(&api).await?;
    let request =
        format!("GET /api/cache/prices/events HTTP/1.1\r\nHost: {}\r\n\r\n", attacked.server.api.address());
    let mut stalled = Vec::new();
    for _ in 0..SUBSCRIBERS_MAX {
        let mut connection = Raw::open_with_small_buffer(api.address()).await?;
        connection.send(&request).await?;
        let answer = connection.answer().await?;
        ensure!(answer.status == 200, "{answer:?}");
        stalled.push(connection);
    }
    let refused = attacked.send(&request).await?;
    ensure!(refused.status == 503 && refused.header("retry-after").is_some(), "{refused:?}");
    ensure!(refused.problem()?.contains("64"), "the limit is named: {refused:?}");
    is_quick(&api, before, "64 stalled readers of the events").await?;
    drop(stalled);
    eventually("a place among the events", PATIENCE, async || {
        let answer = attacked.send(&request).await?;
        Ok((answer.status == 200).then_some(()))
    })
    .await
    .context("whoever has left holds no place")?;
    attacked.ends_untouched().await
}
