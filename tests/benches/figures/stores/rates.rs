//! Durable pairs per second.

use std::time::Duration;

use super::super::programs::Upstream;
use super::super::report::{Aim, progress};
use super::super::size::Size;
use super::super::speed::{PRODUCTS, rate, running};
use super::table::{Table, Want};
use super::{both, settings};

/// Measures and reports.
pub(crate) fn measure(table: &mut Table, size: &Size) -> anyhow::Result<()> {
    for (markets, latency_ms) in [(1, 0), (16, 0), (1, 5), (16, 5)] {
        let upstream = Upstream::start((markets, PRODUCTS), None)?;
        upstream.set_latency(Duration::from_millis(latency_ms))?;
        let name = if markets == 1 { "1 market".to_owned() } else { format!("{markets} markets") };
        let mut rounds = Vec::new();
        for round in 1..=size.rounds {
            progress(&format!("both stores, {name}, {latency_ms} ms, round {round} of {}", size.rounds));
            rounds.push(both(round, |kind| {
                let (_place, server) = running(&upstream, markets, settings(kind))?;
                let rate = rate(&server, size.window)?;
                server.kill()?;
                Ok(rate)
            })?);
        }
        let is_aimed = (markets, latency_ms) == (16, 0);
        let want = if is_aimed { Want::Ratio(Aim::AtLeast(1.0)) } else { Want::Nothing };
        table.row(&format!("durable pairs/s, {name}, {latency_ms} ms"), &rounds, 0, want);
    }
    Ok(())
}
