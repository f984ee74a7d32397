//! A large catalogue against a small one: disk, processor, memory, and coming back after a kill.

use super::machine::mebibytes;
use super::place::Place;
use super::programs::Upstream;
use super::recovery::Recoveries;
use super::report::{Aim, Report, progress, ratio};
use super::size::Size;
use super::statistics::median;
use super::walk::{Costs, PARALLEL_MARKETS, walk};

/// The small catalogue is walked so often, because one walk takes about a second.
const SMALL_ROUNDS: usize = 3;
/// The aim for the memory, in MiB.
const MEMORY_MIB_MAX: f64 = 128.0;
/// The aim for coming back, in seconds.
const READY_SECONDS_MAX: f64 = 2.0;
/// What counts as flat: the cost of a product of the large catalogue in that of a small one.
const FLAT_MAX: f64 = 1.25;

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
    let mut recoveries = Recoveries::default();
    for kill in 1..=size.kills {
        progress(&format!("kill {kill} of {}", size.kills));
        recoveries.come_back(&place, &mut seen)?;
    }
    let aim = |value: f64, aim: Aim| format!("{aim}: {}", aim.verdict(value));
    let memory = mebibytes(walked.memory_peak_bytes);
    let memory_recovered = mebibytes(recoveries.memory_peak_bytes);
    let slowest = recoveries.seconds.iter().copied().fold(0.0, f64::max);
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
                format!("{:.2} s", median(&recoveries.seconds)),
                aim(median(&recoveries.seconds), Aim::AtMost(READY_SECONDS_MAX)),
            ],
            [
                "processor time of that, median".to_owned(),
                format!("{:.2} s", median(&recoveries.cpu_seconds)),
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
