//! The copy to fall back on that is made after a completed run, by the times of the server's log.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::super::place::{Place, Settings};
use super::super::programs::{Server, Upstream};
use super::super::report::{Aim, progress};
use super::super::size::Size;
use super::super::walk::PARALLEL_MARKETS;
use super::table::{Table, Want};
use super::{both, settings};

/// How long the upstream takes.
const LATENCY: Duration = Duration::from_millis(5);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// The aim for the time of the copy, in percent of that of the run.
const SHARE_PERCENT_MAX: f64 = 5.0;
/// Longer than a copy takes.
const PATIENCE: Duration = Duration::from_secs(60);
const SECONDS_PER_DAY: f64 = 86_400.0;

struct Copy {
    run_seconds: f64,
    copy_seconds: f64,
    bytes: f64,
}

/// Measures and reports.
pub(crate) fn measure(table: &mut Table, size: &Size) -> anyhow::Result<()> {
    let upstream = Upstream::start(size.compared, None)?;
    upstream.set_latency(LATENCY)?;
    progress("both stores, a run at 5 ms with the copy at its end");
    let copies = both(1, |kind| {
        let settings = Settings { has_no_copy: false, logs_transitions: true, ..settings(kind) };
        let place = Place::with(&upstream, PARALLEL_MARKETS, settings)?;
        copy(&place)
    })?;
    let products = f64::from(size.compared.0) * f64::from(size.compared.1);
    let of = |value: &dyn Fn(&Copy) -> f64| [[value(&copies[0]), value(&copies[1])]];
    let share = of(&|copy| copy.copy_seconds / copy.run_seconds * 100.0);
    let name = |what: &str| format!("{what}, {products} products, 5 ms");
    table.row(&name("a run, s"), &of(&|copy| copy.run_seconds), 1, Want::Nothing);
    table.row(&name("the copy after it, s"), &of(&|copy| copy.copy_seconds), 2, Want::Nothing);
    table.row("the copy in % of the run", &share, 2, Want::Value(Aim::AtMost(SHARE_PERCENT_MAX)));
    table.row("bytes of the copy per product", &of(&|copy| copy.bytes / products), 0, Want::Nothing);
    Ok(())
}

fn copy(place: &Place) -> anyhow::Result<Copy> {
    let server = Server::start(place, None)?;
    server.api.start()?;
    server.api.status_where(LOOK_INTERVAL, |status| status.state == "COMPLETED")?;
    let begun = Instant::now();
    let (log, made) = loop {
        let log = log(place)?;
        let made =
            log.iter().position(|line| is(line, "message", "made a copy of the store to fall back on"));
        if let Some(made) = made {
            break (log, made);
        }
        ensure!(begun.elapsed() < PATIENCE, "no copy was made: {log:?}");
        std::thread::sleep(LOOK_INTERVAL);
    };
    server.kill()?;
    let time_of = |state: &str| {
        let line = log.iter().find(|line| is(line, "to", state));
        seconds_of_day(line.with_context(|| format!("the log has no {state}"))?)
    };
    let (started, completed) = (time_of("INITIALIZING")?, time_of("COMPLETED")?);
    let made = log.get(made).context("the line is gone")?;
    Ok(Copy {
        run_seconds: (completed - started).rem_euclid(SECONDS_PER_DAY),
        copy_seconds: (seconds_of_day(made)? - completed).rem_euclid(SECONDS_PER_DAY),
        bytes: made["fields"]["bytes"].as_f64().context("the copy has no size")?,
    })
}

/// The lines of the server's log; one that is still being written is left out.
fn log(place: &Place) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(place.stderr())?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn is(line: &Value, field: &str, wanted: &str) -> bool {
    line["fields"][field].as_str() == Some(wanted)
}

/// The time of a line, such as `2026-11-27T15:07:01.113208Z`, since midnight.
fn seconds_of_day(line: &Value) -> anyhow::Result<f64> {
    let time = line["timestamp"].as_str().and_then(|at| at.strip_suffix('Z')?.split_once('T'));
    let (_, time) = time.with_context(|| format!("no time in {line}"))?;
    time.split(':').try_fold(0.0, |sum, part| Ok(sum * 60.0 + part.parse::<f64>()?))
}
