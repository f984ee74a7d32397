//! What the system says about this process, under the names that Prometheus clients agree on.

use std::fs;

use price_cache_domain::Timestamp;

use super::text::{Kind, Page};

/// Leaves out what cannot be told on this system.
pub(super) fn write(page: &mut Page, began: Timestamp) {
    let name = "process_start_time_seconds";
    page.family(name, Kind::Gauge, "When the server began, in seconds since 1970.");
    page.sample(name, &[], began.as_millis() as f64 / 1_000.0);
    if let Some(bytes) = resident_bytes() {
        let name = "process_resident_memory_bytes";
        page.family(name, Kind::Gauge, "Resident memory.");
        page.sample(name, &[], bytes);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let name = "process_open_fds";
        page.family(name, Kind::Gauge, "Open file descriptors.");
        // One of them is the folder that is read.
        page.sample(name, &[], open.count().saturating_sub(1) as f64);
    }
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024.0)
}
