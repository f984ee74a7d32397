//! What the figures were measured on, as far as it matters to them.

use std::fs;

use super::report::Report;
use super::size::Size;

/// Says what the machine is like.
pub(crate) fn describe(report: &mut Report, size: &Size) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    report.paragraph(&format!(
        "{model}, {cores} cores, {}. Load average before the first measurement: {load}. Windows of {:?}, the median of {}.",
        std::env::consts::OS,
        size.window,
        size.rounds,
    ));
}

/// The load of the last minute; 0 where it cannot be read.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    // Exact up to 2^53 bytes.
    bytes as f64 / (1024.0 * 1024.0)
}
