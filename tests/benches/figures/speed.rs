//! Pairs per second against a bare loop and against wrk, and how fast the status answers meanwhile.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::place::{Place, Settings};
use super::programs::{Server, Upstream};
use super::report::{Aim, Report, progress, ratio};
use super::size::Size;
use super::statistics::{median, quantile};
use super::{bare, wrk};

/// Products of each market: more than anything gets through in one window.
pub(crate) const PRODUCTS: u32 = 100_000;
/// How often the progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// The pause between two timed answers of the status.
const STATUS_INTERVAL: Duration = Duration::from_millis(2);

/// What is compared, and what it should come to.
struct Comparison {
    markets: u32,
    latency: Duration,
    aim_of_bare: Option<Aim>,
    aim_of_wrk: Option<Aim>,
}

/// One round after another, so that what else the machine does falls on all contestants alike.
#[derive(Default)]
struct Rates {
    program: Vec<f64>,
    bare: Vec<f64>,
    wrk: Vec<f64>,
}

/// Measures and reports.
pub(crate) fn measure(report: &mut Report, size: &Size) -> anyhow::Result<()> {
    let has_wrk = wrk::is_installed();
    let aims = |markets, latency_ms| Comparison {
        markets,
        latency: Duration::from_millis(latency_ms),
        aim_of_bare: (latency_ms > 0).then_some(Aim::AtLeast(0.9)),
        aim_of_wrk: (latency_ms == 0).then_some(Aim::AtLeast(0.5)),
    };
    let mut rows = Vec::new();
    let mut status_seconds = Vec::new();
    for comparison in [aims(1, 5), aims(1, 0), aims(16, 5), aims(16, 0)] {
        let rates = compare(&comparison, size, has_wrk, &mut status_seconds)?;
        let (program, bare, wrk) = (median(&rates.program), median(&rates.bare), median(&rates.wrk));
        let of_wrk = |text: String| if has_wrk { text } else { "not installed".to_owned() };
        // Each round is a comparison of its own: what slows the machine for a while slows all of a round.
        let ratios = |others: &[f64]| -> f64 {
            median(
                &rates.program.iter().zip(others).map(|(program, other)| program / other).collect::<Vec<_>>(),
            )
        };
        rows.push([
            format!("{}", comparison.markets),
            format!("{} ms", comparison.latency.as_millis()),
            format!("{program:.0}"),
            format!("{bare:.0}"),
            of_wrk(format!("{wrk:.0}")),
            ratio(ratios(&rates.bare), comparison.aim_of_bare),
            of_wrk(ratio(ratios(&rates.wrk), comparison.aim_of_wrk)),
        ]);
    }
    report.heading("Pairs per second");
    report.table(
        [
            "markets at a time",
            "upstream takes",
            "durable pairs/s",
            "bare loop",
            "wrk",
            "of the bare loop",
            "of wrk",
        ],
        &rows,
    );
    report.heading("Status while 16 markets run at full speed");
    let milliseconds = |share| format!("{:.2} ms", quantile(&status_seconds, share) * 1e3);
    report.table(
        ["answers", "p50", "p99", "slowest"],
        &[[status_seconds.len().to_string(), milliseconds(0.5), milliseconds(0.99), milliseconds(1.0)]],
    );
    Ok(())
}

fn compare(
    comparison: &Comparison,
    size: &Size,
    has_wrk: bool,
    status_seconds: &mut Vec<f64>,
) -> anyhow::Result<Rates> {
    let Comparison { markets, latency, .. } = *comparison;
    let upstream = Upstream::start((markets, PRODUCTS), None)?;
    upstream.set_latency(latency)?;
    let url = upstream.price_url()?;
    let mut rates = Rates::default();
    for round in 1..=size.rounds {
        progress(&format!("{markets} markets, {latency:?}, round {round} of {}", size.rounds));
        rates.bare.push(bare::run(&url, markets, size.window, None)?);
        if has_wrk {
            rates.wrk.push(wrk::run(&url, markets, size.window, None)?);
        }
        let server = running(&upstream, markets, Settings::default())?;
        rates.program.push(rate(&server.1, size.window)?);
        if markets > 1 && latency.is_zero() && round == size.rounds {
            *status_seconds = status_times(&server.1, size.status_answers)?;
        }
        server.1.kill()?;
    }
    Ok(rates)
}

/// A server whose run is well under way.
pub(crate) fn running(
    upstream: &Upstream,
    markets: u32,
    settings: Settings<'_>,
) -> anyhow::Result<(Place, Server)> {
    let place = Place::with(upstream, markets, settings)?;
    let server = Server::start(&place, None)?;
    server.api.start()?;
    server.api.status_where(LOOK_INTERVAL, |status| status.completed > u64::from(markets))?;
    Ok((place, server))
}

/// Completed products per second between two looks at the status.
pub(crate) fn rate(server: &Server, window: Duration) -> anyhow::Result<f64> {
    let look = || anyhow::Ok((server.api.status()?, Instant::now()));
    std::thread::sleep(window / 10);
    let (before, begun) = look()?;
    std::thread::sleep(window);
    let (after, ended) = look()?;
    ensure!(after.state == "PROCESSING" && after.failed == 0, "the run did not go on: {after:?}");
    // Far fewer than 2^52 products.
    Ok((after.completed - before.completed) as f64 / ended.duration_since(begun).as_secs_f64())
}

/// How long answers of the status take while the run goes on, in seconds.
pub(crate) fn status_times(server: &Server, answers: usize) -> anyhow::Result<Vec<f64>> {
    let mut seconds = Vec::with_capacity(answers);
    for _ in 0..answers {
        let begun = Instant::now();
        server.api.get("/api/cache/prices/status")?;
        seconds.push(begun.elapsed().as_secs_f64());
        std::thread::sleep(STATUS_INTERVAL);
    }
    let status = server.api.status()?;
    ensure!(status.state == "PROCESSING", "the run ended while the status was timed: {status:?}");
    Ok(seconds)
}
