//! `logs`: the latest calls to the upstream, or clearing their log.

use price_cache_api_types::{LogEntry, Logs, LogsCleared};

use super::Failure;
use crate::arguments::LogsArguments;
use crate::client::Target;
use crate::render::{self, number, text};
use crate::{Context, Exit};

/// As many calls as a server keeps: with a filter all of them are looked through.
const KEPT_MAX: u64 = 10_000;

pub(super) async fn execute(arguments: &LogsArguments, context: &mut Context) -> Result<Exit, Failure> {
    if arguments.clear {
        let cleared: LogsCleared = context.client.delete(&Target::run("logs")).await?.json()?;
        context.streams.human(&text::clean(&cleared.message));
        return Ok(Exit::Done);
    }
    let is_filtered = arguments.failed || arguments.market.is_some();
    let limit = if is_filtered { KEPT_MAX } else { arguments.limit };
    let answer = context.client.get(&Target::run("logs").query("limit", limit)).await?;
    if arguments.json {
        context.streams.data_bytes(answer.bytes())?;
        return Ok(Exit::Done);
    }
    let logs: Logs = answer.json()?;
    let wanted = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let matching: Vec<&LogEntry> = logs.logs.iter().filter(|entry| is_wanted(entry, arguments)).collect();
    if matching.is_empty() {
        context.streams.human(if is_filtered { "no such call in the log" } else { "the log is empty" });
        return Ok(Exit::Done);
    }
    let table = render::logs(matching.iter().copied().take(wanted), context.streams.data_theme());
    context.streams.data(&table)?;
    let stats = &logs.stats;
    context.streams.human(&format!(
        "{} of {}; of all {} successful, {} on average",
        number::count(matching.len().min(wanted) as u64),
        number::counted(logs.total, "call"),
        number::percent(stats.success_rate),
        number::milliseconds(stats.avg_duration_ms),
    ));
    Ok(Exit::Done)
}

fn is_wanted(entry: &LogEntry, arguments: &LogsArguments) -> bool {
    arguments.market.as_ref().is_none_or(|market| *market == entry.market_id)
        && !(arguments.failed && entry.success)
}
