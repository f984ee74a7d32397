//! A large catalogue against a small one: disk, processor, memory, and coming back after a kill.

use std::time::{Duration, Instant};

use anyhow::ensure;
use price_cache_tests::Usage;

use super::machine::mebibytes;
use super::programs::{Place, Server, Upstream};
use super::report::{Aim, Report, progress, ratio};
use super::size::Size;
use super::statistics::median;

/// Markets walked at a time.
const PARALLEL_MARKETS: u32 = 16;
/// The small catalogue is walked so often, because one walk takes about a second.
const SMALL_ROUNDS: usize = 3;
/// How often the progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// The aim for the memory, in MiB.
const MEMORY_MIB_MAX: f64 = 128.0;
/// The aim for coming back, in seconds.
const READY_SECONDS_MAX: f64 = 2.0;
/// What counts as flat: the cost of a product of the large catalogue in that of a small one.
const FLAT_MAX: f64 = 1.25;

/// What a product costs.
struct Costs {
    products: u64,
    written_bytes: f64,
    store_bytes: f64,
    cpu_microseconds: f64,
    per_second: f64,
}

/// Measures and reports.
pub(crate) fn measure(report: &mut Report, size: &Size) -> anyhow::Result<()> {
    let mut small = Vec::new();
    for round in 1..=SMALL_ROUNDS {
        progress(&format!("the small catalogue, round {round} of {SMALL_ROUNDS}"));
        let upstream = Upstream::start(size.small, None)?;
        let place = Place::new(&upstream, PARALLEL_MARKETS)?;
        small.push(walk(&place, size.small, 1.0)?.0);
    }
    progress("the large catalogue");
    let upstream = Upstream::start(size.large, None)?;
    let place = Place::new(&upstream, PARALLEL_MARKETS)?;
    // Killed shortly before the end, in the middle of the work.
    let (large, server) = walk(&place, size.large, 0.99)?;
    report_costs(report, &small, &large);

    let walked = server.usage()?;
    let mut seen = server.api.status()?.completed;
    server.kill()?;
    let mut ready_seconds = Vec::new();
    let mut ready_cpu_seconds = Vec::new();
    let mut recovered = Usage::default();
    for kill in 1..=size.kills {
        progress(&format!("kill {kill} of {}", size.kills));
        let server = Server::start(&place, None)?;
        let begun = Instant::now();
        let status = server.api.status()?;
        let ready = server.ready_after + begun.elapsed();
        ensure!(status.completed >= seen, "{seen} were done before the kill, after it {status:?}");
        seen = status.completed;
        ready_seconds.push(ready.as_secs_f64());
        let usage = server.usage()?;
        ready_cpu_seconds.push(usage.cpu_seconds);
        if usage.memory_peak_bytes > recovered.memory_peak_bytes {
            recovered = usage;
        }
        server.kill()?;
    }
    let aim = |value: f64, aim: Aim| format!("{aim}: {}", aim.verdict(value));
    let memory = mebibytes(walked.memory_peak_bytes);
    let memory_recovered = mebibytes(recovered.memory_peak_bytes);
    let slowest = ready_seconds.iter().copied().fold(0.0, f64::max);
    report.heading(&format!("Memory, and back after `kill -9`, with {} products", large.products));
    report.table(
        ["figure", "value", "aim"],
        &[
            [
                "peak memory of the walk".to_owned(),
                format!("{memory:.0} MiB"),
                aim(memory, Aim::AtMost(MEMORY_MIB_MAX)),
            ],
            [
                "peak memory of the recovery".to_owned(),
                format!("{memory_recovered:.0} MiB"),
                aim(memory_recovered, Aim::AtMost(MEMORY_MIB_MAX)),
            ],
            [
                format!("from exec to the right status, median of {} kills", size.kills),
                format!("{:.2} s", median(&ready_seconds)),
                aim(median(&ready_seconds), Aim::AtMost(READY_SECONDS_MAX)),
            ],
            [
                "processor time of that, median".to_owned(),
                format!("{:.2} s", median(&ready_cpu_seconds)),
                "none; what a busy machine does not change".to_owned(),
            ],
            [
                "the slowest of them".to_owned(),
                format!("{slowest:.2} s"),
                aim(slowest, Aim::AtMost(READY_SECONDS_MAX)),
            ],
        ],
    );
    Ok(())
}

/// Walks a share of the catalogue; the server goes on.
fn walk(place: &Place, (markets, products): (u32, u32), share: f64) -> anyhow::Result<(Costs, Server)> {
    let total = u64::from(markets) * u64::from(products);
    // At most some millions.
    let wanted = (total as f64 * share) as u64;
    let server = Server::start(place, None)?;
    let (before, begun) = (server.usage()?, Instant::now());
    server.api.start()?;
    let status = server.api.status_where(LOOK_INTERVAL, |status| {
        if share < 1.0 { status.completed >= wanted } else { status.state == "COMPLETED" }
    })?;
    let took = begun.elapsed();
    let after = server.usage()?;
    let done = status.completed as f64;
    let costs = Costs {
        products: total,
        written_bytes: (after.written_bytes - before.written_bytes) as f64 / done,
        store_bytes: place.store_bytes()? as f64 / done,
        cpu_microseconds: (after.cpu_seconds - before.cpu_seconds) * 1e6 / done,
        per_second: done / took.as_secs_f64(),
    };
    Ok((costs, server))
}

fn report_costs(report: &mut Report, small: &[Costs], large: &Costs) {
    let of_small = |cost: fn(&Costs) -> f64| median(&small.iter().map(cost).collect::<Vec<_>>());
    let products = small.first().map_or(0, |costs| costs.products);
    let row = |name: &str, cost: fn(&Costs) -> f64, aim| {
        let (few, many) = (of_small(cost), cost(large));
        [name.to_owned(), format!("{few:.0}"), format!("{many:.0}"), ratio(many / few, aim)]
    };
    let flat = Some(Aim::AtMost(FLAT_MAX));
    report.heading("What a product costs");
    report.table(
        ["per product", &format!("of {products}"), &format!("of {}", large.products), "ratio"],
        &[
            row("bytes written to the disk", |costs| costs.written_bytes, flat),
            row("bytes of the store", |costs| costs.store_bytes, flat),
            row("processor time, µs", |costs| costs.cpu_microseconds, flat),
            row("products per second", |costs| costs.per_second, None),
        ],
    );
}
