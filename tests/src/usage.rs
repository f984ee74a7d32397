//! What a process has used so far, as the kernel counts it.

use std::fs;

use anyhow::Context;

/// Ticks of the processor times in /proc per second: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Time on a processor, in user and kernel mode, in seconds.
    pub cpu_seconds: f64,
    /// Bytes that it caused to be written to the disk.
    pub written_bytes: u64,
    /// The largest resident memory so far, in bytes.
    pub memory_peak_bytes: u64,
}

impl Usage {
    /// Reads it for a process by its id.
    ///
    /// # Errors
    /// There is no such process, or it is someone else's.
    pub fn of(process: u32) -> anyhow::Result<Self> {
        let read = |name: &str| {
            let path = format!("/proc/{process}/{name}");
            fs::read_to_string(&path).with_context(|| format!("could not read {path}"))
        };
        let field = |text: &str, name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
            value.and_then(|value| value.parse::<u64>().ok()).with_context(|| format!("no {name} in /proc"))
        };
        let stat = read("stat")?;
        // The name before the parenthesis may contain spaces; times in user and kernel mode are fields 14 and 15.
        let times = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1.split_whitespace();
        let ticks: Vec<f64> = times.skip(11).take(2).map_while(|ticks| ticks.parse().ok()).collect();
        Ok(Self {
            cpu_seconds: ticks.iter().sum::<f64>() / TICKS_PER_SECOND,
            written_bytes: field(&read("io")?, "write_bytes:")?,
            memory_peak_bytes: field(&read("status")?, "VmHWM:")? * 1024,
        })
    }
}
