//! `doctor`: reads every record, recomputes every counter and reports what does not fit.

use std::path::Path;

use anyhow::Context;
use price_cache_cli::render::number;
use price_cache_cli::render::table::{Cell, Table, left, right};
use price_cache_cli::{Exit, Streams};
use price_cache_engine::audit;

use super::loaded;
use crate::wiring;

/// Executes it on the store of the configuration, which no server may have open. Changes nothing.
pub async fn execute(config: &Path, streams: &mut Streams) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let store = wiring::open_store(loaded.configuration.storage.options())?;
    let records = store.verify().await.context("could not read the records")?;
    let mut problems: Vec<String> =
        records.problems.iter().map(|problem| format!("{}: {}", problem.record, problem.reason)).collect();
    let mut problems_total = records.problems_total;
    streams.human(&format!(
        "store      {}, {}, {}, {}",
        wiring::shown(store.path()),
        bytes(store.disk_bytes()),
        number::counted(records.entries, "record"),
        number::counted(records.plan_pages, "plan page"),
    ));
    match audit(&store).await {
        Ok(audit) => {
            streams.human(&format!("run        {}", audit.status));
            let mut table = Table::new(&[
                left("MARKET"),
                right("TOTAL"),
                right("COMPLETED"),
                right("SUCCESSFUL"),
                right("FAILED"),
                right("RECORDS"),
            ]);
            for market in &audit.markets {
                let progress = &market.progress;
                let counts = [
                    progress.total(),
                    progress.completed(),
                    progress.successful(),
                    progress.failed(),
                    market.records,
                ];
                let counts = counts.map(|count| Cell::from(number::count(count)));
                table.row(std::iter::once(Cell::from(market.market.as_str())).chain(counts));
            }
            if !table.is_empty() {
                streams.data(&table.render(streams.data_theme()))?;
            }
            problems_total += audit.problems.len() as u64;
            problems.extend(audit.problems.iter().map(ToString::to_string));
        }
        Err(error) => {
            problems_total += 1;
            problems.push(format!("the counters could not be recomputed: {error}"));
        }
    }
    for problem in &problems {
        streams.human(&format!("problem    {problem}"));
    }
    if problems_total == 0 {
        streams.human("healthy    every record can be read, and every counter equals the records");
        return Ok(Exit::Done);
    }
    streams.human(&format!(
        "{}; nothing was changed. `reset` clears the run, and with --keep-prices it keeps what can be read",
        number::counted(problems_total, "problem")
    ));
    Ok(Exit::Failed)
}

fn bytes(bytes: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    format!("{:.1} MiB on disk", bytes as f64 / MIB)
}
