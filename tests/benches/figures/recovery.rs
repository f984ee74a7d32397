//! Coming back after `kill -9`, again and again.

use std::time::Instant;

use anyhow::ensure;

use super::place::Place;
use super::programs::Server;

/// What the starts after the kills took.
#[derive(Default)]
pub(crate) struct Recoveries {
    /// From `exec` to the right status.
    pub(crate) seconds: Vec<f64>,
    /// Processor time of that.
    pub(crate) cpu_seconds: Vec<f64>,
    /// The largest resident memory of all.
    pub(crate) memory_peak_bytes: u64,
}

impl Recoveries {
    /// Starts a server that was killed, looks whether its status is right, and kills it again.
    pub(crate) fn come_back(&mut self, place: &Place, seen: &mut u64) -> anyhow::Result<()> {
        let server = Server::start(place, None)?;
        let begun = Instant::now();
        let status = server.api.status()?;
        let ready = server.ready_after + begun.elapsed();
        ensure!(status.completed >= *seen, "{seen} were done before the kill, after it {status:?}");
        *seen = status.completed;
        let usage = server.usage()?;
        server.kill()?;
        self.seconds.push(ready.as_secs_f64());
        self.cpu_seconds.push(usage.cpu_seconds);
        self.memory_peak_bytes = self.memory_peak_bytes.max(usage.memory_peak_bytes);
        Ok(())
    }
}
