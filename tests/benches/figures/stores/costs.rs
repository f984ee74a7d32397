//! What a product costs at full speed.

use super::super::place::Place;
use super::super::programs::Upstream;
use super::super::report::{Aim, progress};
use super::super::size::Size;
use super::super::walk::{Costs, PARALLEL_MARKETS, walk};
use super::table::{Table, Want};
use super::{Both, both, settings};

/// The aim for what is written per product, in bytes.
pub(crate) const WRITTEN_BYTES_MAX: f64 = 12_000.0;
/// How often the catalogue is walked.
const ROUNDS: usize = 3;

/// Measures and reports; the last places, with the run completed.
pub(crate) fn measure(table: &mut Table, size: &Size) -> anyhow::Result<Both<Place>> {
    let upstream = Upstream::start(size.compared, None)?;
    let mut rounds: Vec<Both<Costs>> = Vec::new();
    loop {
        let round = rounds.len() + 1;
        progress(&format!("both stores, a walk at full speed, round {round} of {ROUNDS}"));
        let walked = both(round, |kind| {
            let place = Place::with(&upstream, PARALLEL_MARKETS, settings(kind))?;
            let (costs, server) = walk(&place, size.compared, 1.0)?;
            server.kill()?;
            Ok((costs, place))
        })?;
        let [(redb, of_redb), (sled, of_sled)] = walked;
        rounds.push([redb, sled]);
        if round == ROUNDS {
            report(table, &rounds);
            return Ok([of_redb, of_sled]);
        }
    }
}

fn report(table: &mut Table, rounds: &[Both<Costs>]) {
    let of = |cost: fn(&Costs) -> f64| -> Vec<Both<f64>> {
        rounds.iter().map(|[redb, sled]| [cost(redb), cost(sled)]).collect()
    };
    let products = rounds.first().map_or(0, |[redb, _]| redb.products);
    let name = |what: &str| format!("{what} per product, full speed, {products} products");
    let want = Want::Value(Aim::AtMost(WRITTEN_BYTES_MAX));
    table.row(&name("bytes written"), &of(|costs| costs.written_bytes), 0, want);
    table.row(&name("bytes kept"), &of(|costs| costs.store_bytes), 0, Want::Nothing);
    table.row(&name("processor time, µs,"), &of(|costs| costs.cpu_microseconds), 0, Want::Nothing);
}
