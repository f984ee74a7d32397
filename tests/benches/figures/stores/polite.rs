//! What a product costs at ten products per second, in a new store and in one that has all products already.

use std::time::Duration;

use anyhow::ensure;

use super::super::api::Api;
use super::super::place::{Kind, Place, Settings};
use super::super::programs::{Server, Upstream};
use super::super::report::{Aim, progress};
use super::super::size::Size;
use super::super::walk::PARALLEL_MARKETS;
use super::costs::WRITTEN_BYTES_MAX;
use super::table::{Table, Want};
use super::{Both, both, settings};

const PACE: &str = "pacing.requests_per_second = 10";
/// How long the upstream takes.
const LATENCY: Duration = Duration::from_millis(5);
/// How often the progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What a product costs.
struct Costs {
    written_bytes: f64,
    grown_bytes: f64,
    cpu_microseconds: f64,
}

/// Measures and reports. All four run at once: together they do not keep a processor busy.
pub(crate) fn measure(table: &mut Table, size: &Size, filled: &Both<Place>) -> anyhow::Result<()> {
    progress("both stores, ten products per second");
    let upstream = Upstream::start(size.compared, None)?;
    upstream.set_latency(LATENCY)?;
    let paced = |kind: Kind| Settings { run: PACE, ..settings(kind) };
    let new = both(1, |kind| Place::with(&upstream, PARALLEL_MARKETS, paced(kind)))?;
    for (place, kind) in filled.iter().zip(Kind::ALL) {
        place.configure(&upstream, PARALLEL_MARKETS, paced(kind))?;
    }
    let mut running = Vec::new();
    for place in new.iter().chain(filled) {
        let server = Server::start(place, None)?;
        server.api.start()?;
        running.push((place, server));
    }
    for (_, server) in &running {
        // The list of products and the plan are not what is measured.
        server.api.status_where(LOOK_INTERVAL, |status| {
            status.state == "PROCESSING" && status.completed >= u64::from(PARALLEL_MARKETS)
        })?;
    }
    let costs = watch(&running, size.polite)?;
    for (_, server) in running {
        server.kill()?;
    }
    let (of_new, of_filled) = costs.split_at(new.len());
    report(table, of_new, "a new store");
    report(table, of_filled, "a filled store");
    Ok(())
}

fn watch(running: &[(&Place, Server)], span: Duration) -> anyhow::Result<Vec<Costs>> {
    let look = |(place, server): &(&Place, Server)| {
        // A connection that rests for as long as this watches is closed by the server.
        let completed = Api::new(server.api.url())?.status()?.completed;
        anyhow::Ok((completed, server.usage()?, place.store_bytes()?))
    };
    let before = running.iter().map(look).collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::sleep(span);
    let after = running.iter().map(look).collect::<anyhow::Result<Vec<_>>>()?;
    let costs =
        before.iter().zip(after).map(|((done, usage, bytes), (done_then, usage_then, bytes_then))| {
            ensure!(done_then > *done, "a polite run does not get on");
            // Some hundreds.
            let products = (done_then - done) as f64;
            Ok(Costs {
                written_bytes: (usage_then.written_bytes - usage.written_bytes) as f64 / products,
                grown_bytes: (bytes_then as f64 - *bytes as f64) / products,
                cpu_microseconds: (usage_then.cpu_seconds - usage.cpu_seconds) * 1e6 / products,
            })
        });
    costs.collect()
}

fn report(table: &mut Table, costs: &[Costs], store: &str) {
    let [redb, sled] = costs else { return };
    let name = |what: &str| format!("{what} per product, 10 per second, {store}");
    let of = |cost: fn(&Costs) -> f64| [[cost(redb), cost(sled)]];
    let want = Want::Value(Aim::AtMost(WRITTEN_BYTES_MAX));
    table.row(&name("bytes written"), &of(|costs| costs.written_bytes), 0, want);
    table.row(&name("bytes grown"), &of(|costs| costs.grown_bytes), 0, Want::Nothing);
    table.row(&name("processor time, µs,"), &of(|costs| costs.cpu_microseconds), 0, Want::Nothing);
}
