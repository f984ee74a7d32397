//! A walk of a catalogue at full speed, and what a product costs in it.

use std::time::{Duration, Instant};

use super::place::Place;
use super::programs::Server;

/// Markets walked at a time.
pub(crate) const PARALLEL_MARKETS: u32 = 16;
/// How often the progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What a product costs.
pub(crate) struct Costs {
    /// Products of the catalogue.
    pub(crate) products: u64,
    /// Bytes written to the disk.
    pub(crate) written_bytes: f64,
    /// Bytes of the store.
    pub(crate) store_bytes: f64,
    /// Processor time, in user and kernel mode.
    pub(crate) cpu_microseconds: f64,
    /// Products per second.
    pub(crate) per_second: f64,
}

/// Walks a share of the catalogue; the server goes on.
pub(crate) fn walk(
    place: &Place,
    (markets, products): (u32, u32),
    share: f64,
) -> anyhow::Result<(Costs, Server)> {
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
