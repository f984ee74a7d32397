//! What the figures were measured on, as far as it matters to them.

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use super::report::Report;
use super::size::Size;
use super::statistics::quantile;

/// How often the disk is asked to make something durable, to see how long that takes.
const SYNCS: usize = 200;
/// What is made durable each time, in bytes: a group of a few records.
const SYNC_BYTES: usize = 512;

/// Says what the machine is like.
pub(crate) fn describe(report: &mut Report, size: &Size) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let syncs = sync_seconds()?;
    report.paragraph(&format!(
        "{model}, {cores} cores, {}. Load average before the first measurement: {load}. To append {SYNC_BYTES} bytes \
         and make them durable (`fdatasync`) takes {:.2} ms (p50), {:.2} ms (p99) here. Windows of {} s, the median of \
         {} rounds.",
        std::env::consts::OS,
        quantile(&syncs, 0.5) * 1e3,
        quantile(&syncs, 0.99) * 1e3,
        size.window.as_secs(),
        size.rounds,
    ));
    Ok(())
}

/// How long the disk takes to make a little durable.
fn sync_seconds() -> anyhow::Result<Vec<f64>> {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut seconds = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[7; SYNC_BYTES])?;
        file.sync_data()?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// Bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    // Exact up to 2^53 bytes.
    bytes as f64 / (1024.0 * 1024.0)
}
