//! Coming back after `kill -9` in the middle of a large catalogue, with the store in the system's memory and without.

use std::time::Duration;

use super::super::machine::mebibytes;
use super::super::place::{Kind, Place};
use super::super::programs::Upstream;
use super::super::recovery::Recoveries;
use super::super::report::progress;
use super::super::size::Size;
use super::super::walk::{PARALLEL_MARKETS, walk};
use super::table::{Table, Want};
use super::{Both, both, settings};

/// The share of the catalogue that is done at the first kill.
const SHARE: f64 = 0.99;
/// How long the upstream takes from then on, so that the run does not come to its end.
const LATENCY: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Killed {
    walk_memory_peak_bytes: u64,
    warm: Recoveries,
    cold: Recoveries,
}

/// Measures and reports.
pub(crate) fn measure(table: &mut Table, size: &Size) -> anyhow::Result<()> {
    let killed = both(1, |kind| kill(kind, size))?;
    let products = u64::from(size.large.0) * u64::from(size.large.1);
    let memory = |name: &str, bytes: fn(&Killed) -> u64, table: &mut Table| {
        let values = killed.each_ref().map(|killed| mebibytes(bytes(killed)));
        table.row(&format!("{name}, {products} products, MiB"), &[values], 0, Want::Nothing);
    };
    memory("peak memory of the walk", |killed| killed.walk_memory_peak_bytes, table);
    let most = |killed: &Killed| killed.warm.memory_peak_bytes.max(killed.cold.memory_peak_bytes);
    memory("peak memory of the recovery", most, table);
    let [redb, sled] = &killed;
    for (name, recoveries) in [("warm", [&redb.warm, &sled.warm]), ("cold", [&redb.cold, &sled.cold])] {
        let name = |what: &str| format!("{what}, {products} products, {name}");
        let rounds = rounds(recoveries, |recoveries| &recoveries.seconds);
        table.row(&name("from exec after `kill -9` to the right status, s"), &rounds, 2, Want::Nothing);
        let rounds = self::rounds(recoveries, |recoveries| &recoveries.cpu_seconds);
        table.row(&name("processor time of that, s"), &rounds, 2, Want::Nothing);
    }
    Ok(())
}

fn rounds(recoveries: Both<&Recoveries>, values: fn(&Recoveries) -> &Vec<f64>) -> Vec<Both<f64>> {
    let [redb, sled] = recoveries.map(values);
    redb.iter().zip(sled).map(|(redb, sled)| [*redb, *sled]).collect()
}

fn kill(kind: Kind, size: &Size) -> anyhow::Result<Killed> {
    progress(&format!("{}, the large catalogue", kind.name()));
    let upstream = Upstream::start(size.large, None)?;
    let place = Place::with(&upstream, PARALLEL_MARKETS, settings(kind))?;
    let (_, server) = walk(&place, size.large, SHARE)?;
    let mut killed =
        Killed { walk_memory_peak_bytes: server.usage()?.memory_peak_bytes, ..Killed::default() };
    let mut seen = server.api.status()?.completed;
    server.kill()?;
    upstream.set_latency(LATENCY)?;
    for round in 1..=size.kills {
        progress(&format!("{}, kill {round} of {}, warm and cold", kind.name(), size.kills));
        killed.warm.come_back(&place, &mut seen)?;
        place.forget_cached()?;
        killed.cold.come_back(&place, &mut seen)?;
    }
    Ok(killed)
}
