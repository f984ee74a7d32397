//! The two embedded stores side by side: what each makes of the same work, in the same run, in turns.

mod copies;
mod costs;
mod kills;
mod polite;
mod rates;
mod table;

use super::place::{Kind, Settings};
use super::report::Report;
use super::size::Size;
use table::Table;

/// One value of each kind of store, in the order of [`Kind::ALL`].
type Both<T> = [T; 2];

/// Measures and reports.
pub(crate) fn measure(report: &mut Report, size: &Size) -> anyhow::Result<()> {
    let mut table = Table::default();
    rates::measure(&mut table, size)?;
    let places = costs::measure(&mut table, size)?;
    polite::measure(&mut table, size, &places)?;
    drop(places);
    copies::measure(&mut table, size)?;
    kills::measure(&mut table, size)?;
    report.heading("The two embedded stores");
    table.report(report);
    Ok(())
}

/// The settings of a kind of store. No copy disturbs what is measured without it.
fn settings(kind: Kind) -> Settings<'static> {
    Settings { kind: Some(kind), has_no_copy: true, ..Settings::default() }
}

/// Measures both kinds; which one is first alternates with the rounds.
fn both<T>(round: usize, mut measure: impl FnMut(Kind) -> anyhow::Result<T>) -> anyhow::Result<Both<T>> {
    let [redb, sled] = Kind::ALL;
    if round % 2 == 1 {
        Ok([measure(redb)?, measure(sled)?])
    } else {
        let of_sled = measure(sled)?;
        Ok([measure(redb)?, of_sled])
    }
}
