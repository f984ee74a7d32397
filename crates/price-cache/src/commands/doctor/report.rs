//! What the doctor says, to people and to programs.

use std::io;

use price_cache_cli::Streams;
use price_cache_cli::arguments::DoctorArguments;
use price_cache_cli::render::number;
use price_cache_cli::render::table::{Cell, Table, left, right};
use price_cache_domain::{FallbackCopy, StoreMaintenance, Timestamp};
use price_cache_engine::Audit;
use serde::Serialize;

use super::examination::{Examination, Finding};
use super::repair::Repair;
use crate::wiring;

/// What `--json` prints: how the store is now, after a repair if there was one.
#[derive(Serialize)]
struct Document<'a> {
    healthy: bool,
    store: String,
    kind: &'static str,
    disk_bytes: u64,
    records: u64,
    plan_pages: u64,
    state: Option<&'static str>,
    markets: Vec<Market<'a>>,
    problems_total: u64,
    problems: Vec<Finding>,
    repair: Option<&'a Repair>,
    fallback_copy: Option<Copy>,
}

/// What `--json` prints of a store that cannot be read to its end.
#[derive(Serialize)]
struct Unreadable {
    healthy: bool,
    problems_total: u64,
    problems: [Finding; 1],
    fallback_copy: Option<Copy>,
}

/// The copy beside the store.
#[derive(Serialize)]
struct Copy {
    made_at: String,
    entries: u64,
    bytes: u64,
}

impl From<FallbackCopy> for Copy {
    fn from(copy: FallbackCopy) -> Self {
        let FallbackCopy { made_at, entries, bytes } = copy;
        Self { made_at: timestamp(made_at), entries, bytes }
    }
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
    store: &dyn StoreMaintenance,
    found: &Examination,
    repair: Option<&Repair>,
    copy: Option<FallbackCopy>,
) -> serde_json::Result<String> {
    let audit = found.audit.as_ref().ok();
    serde_json::to_string_pretty(&Document {
        healthy: found.is_healthy(),
        store: store.location(),
        kind: store.kind(),
        disk_bytes: store.disk_bytes(),
        records: found.records.entries,
        plan_pages: found.records.plan_pages,
        state: audit.map(|audit| audit.status.name()),
        markets: audit.into_iter().flat_map(markets).collect(),
        problems_total: found.problems_total(),
        problems: found.findings(),
        repair,
        fallback_copy: copy.map(Copy::from),
    })
}

/// Reports a store that cannot be read to its end, and the way out.
pub(super) fn unreadable(
    reason: &str,
    copy: Option<FallbackCopy>,
    arguments: &DoctorArguments,
    streams: &mut Streams,
) -> anyhow::Result<()> {
    let finding = Finding {
        problem: reason.to_owned(),
        market_id: None,
        product_id: None,
        repair: copy.map(|_| "rebuilds the store from the copy beside it and keeps the damaged files"),
        way_out: copy.is_none().then_some("restore a backup, or move the folder away to start again"),
    };
    if arguments.json {
        let copy = copy.map(Copy::from);
        let document =
            Unreadable { healthy: false, problems_total: 1, problems: [finding], fallback_copy: copy };
        streams.data(&serde_json::to_string_pretty(&document)?)?;
        return Ok(());
    }
    tell_of_copy(copy, streams);
    tell_finding(&finding, streams);
    streams.human("the store cannot be used; nothing was changed");
    Ok(())
}

fn tell_of_copy(copy: Option<FallbackCopy>, streams: &mut Streams) {
    if let Some(FallbackCopy { made_at, entries, .. }) = copy {
        let entries = number::counted(entries, "record");
        streams.human(&format!("copy       made {}, {entries}", timestamp(made_at)));
    }
}

fn tell_finding(finding: &Finding, streams: &mut Streams) {
    streams.human(&format!("problem    {}", finding.problem));
    match (finding.repair, finding.way_out) {
        (Some(does), _) => streams.human(&format!("           --repair {does}")),
        (None, Some(way_out)) => streams.human(&format!("           {way_out}")),
        (None, None) => {}
    }
}

fn timestamp(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(|_| at.to_string(), |at| at.to_string())
}

pub(super) fn tell(
    store: &dyn StoreMaintenance,
    found: &Examination,
    repair: Option<&Repair>,
    copy: Option<FallbackCopy>,
    streams: &mut Streams,
) -> io::Result<()> {
    streams.human(&format!(
        "store      {}, {}, {}, {}, {}",
        store.location(),
        store.kind(),
        bytes(store.disk_bytes()),
        number::counted(found.records.entries, "record"),
        number::counted(found.records.plan_pages, "plan page"),
    ));
    tell_of_copy(copy, streams);
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
        tell_finding(finding, streams);
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
