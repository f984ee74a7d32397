//! What the doctor says, to people and to programs.

use std::io;

use price_cache_cli::Streams;
use price_cache_cli::render::number;
use price_cache_cli::render::table::{Cell, Table, left, right};
use price_cache_engine::Audit;
use price_cache_storage_sled::SledStore;
use serde::Serialize;

use super::examination::{Examination, Finding};
use super::repair::Repair;
use crate::wiring;

/// What `--json` prints: how the store is now, after a repair if there was one.
#[derive(Serialize)]
struct Document<'a> {
    healthy: bool,
    store: String,
    disk_bytes: u64,
    records: u64,
    plan_pages: u64,
    state: Option<&'static str>,
    markets: Vec<Market<'a>>,
    problems_total: u64,
    problems: Vec<Finding>,
    repair: Option<&'a Repair>,
}

#[derive(Serialize)]
struct Market<'a> {
    market_id: &'a str,
    total: u64,
    completed: u64,
    successful: u64,
    failed: u64,
    records: u64,
}

fn markets(audit: &Audit) -> impl Iterator<Item = Market<'_>> {
    audit.markets.iter().map(|market| Market {
        market_id: market.market.as_str(),
        total: market.progress.total(),
        completed: market.progress.completed(),
        successful: market.progress.successful(),
        failed: market.progress.failed(),
        records: market.records,
    })
}

pub(super) fn document(
    store: &SledStore,
    found: &Examination,
    repair: Option<&Repair>,
) -> serde_json::Result<String> {
    let audit = found.audit.as_ref().ok();
    serde_json::to_string_pretty(&Document {
        healthy: found.is_healthy(),
        store: wiring::shown(store.path()),
        disk_bytes: store.disk_bytes(),
        records: found.records.entries,
        plan_pages: found.records.plan_pages,
        state: audit.map(|audit| audit.status.name()),
        markets: audit.into_iter().flat_map(markets).collect(),
        problems_total: found.problems_total(),
        problems: found.findings(),
        repair,
    })
}

pub(super) fn tell(
    store: &SledStore,
    found: &Examination,
    repair: Option<&Repair>,
    streams: &mut Streams,
) -> io::Result<()> {
    streams.human(&format!(
        "store      {}, {}, {}, {}",
        wiring::shown(store.path()),
        bytes(store.disk_bytes()),
        number::counted(found.records.entries, "record"),
        number::counted(found.records.plan_pages, "plan page"),
    ));
    if let Ok(audit) = &found.audit {
        streams.human(&format!("run        {}", audit.status));
        let mut table = Table::new(&[
            left("MARKET"),
            right("TOTAL"),
            right("COMPLETED"),
            right("SUCCESSFUL"),
            right("FAILED"),
            right("RECORDS"),
        ]);
        for market in markets(audit) {
            let Market { market_id, total, completed, successful, failed, records } = market;
            let counts = [total, completed, successful, failed, records];
            let counts = counts.map(|count| Cell::from(number::count(count)));
            table.row(std::iter::once(Cell::from(market_id)).chain(counts));
        }
        if !table.is_empty() {
            streams.data(&table.render(streams.data_theme()))?;
        }
    }
    for mended in repair.into_iter().flat_map(|repair| &repair.mended) {
        streams.human(&format!("mended     {mended}"));
    }
    if let Some(file) = repair.and_then(|repair| repair.set_aside.as_deref()) {
        streams.human(&format!("set aside  {}", wiring::shown(file)));
    }
    let findings = found.findings();
    for finding in &findings {
        streams.human(&format!("problem    {}", finding.problem));
        match (finding.repair, finding.way_out) {
            (Some(does), _) => streams.human(&format!("           --repair {does}")),
            (None, Some(way_out)) => streams.human(&format!("           {way_out}")),
            (None, None) => {}
        }
    }
    streams.human(&verdict(found, &findings, repair));
    Ok(())
}

fn verdict(found: &Examination, findings: &[Finding], repair: Option<&Repair>) -> String {
    let problems = number::counted(found.problems_total(), "problem");
    if found.is_healthy() {
        "healthy    every record can be read, and every counter equals the records".to_owned()
    } else if repair.is_some() {
        format!("{problems} left that cannot be mended here")
    } else if findings.iter().any(|finding| finding.repair.is_some()) {
        format!("{problems}; nothing was changed. `price-cache doctor --repair` mends what can be mended")
    } else {
        format!("{problems}; nothing was changed")
    }
}

fn bytes(bytes: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    format!("{:.1} MiB on disk", bytes as f64 / MIB)
}
