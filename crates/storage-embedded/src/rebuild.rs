//! Rebuilds a store that is damaged from the copy to fall back on and from what can still be read of the store itself.

use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use price_cache_domain::{Entry, Run, StoreError};
use price_cache_records::{decode_entry, decode_plan_page, decode_run, encode_run, keys};

use crate::error::from_io;
use crate::fallback_copy::{CopyReader, Header};
use crate::folder::{Folder, remove_folder};
use crate::loader::Loader;
use crate::panics::guard;
use crate::totals::Totals;
use crate::{Backend, EmbeddedOptions, Table};

/// A store that was rebuilt.
pub(crate) struct Rebuilt {
    /// The generation that now counts.
    pub(crate) generation: u64,
    pub(crate) totals: Totals,
    /// What happened, for people.
    pub(crate) sentence: String,
}

/// A store that is to be rebuilt.
#[derive(Clone, Copy)]
pub(crate) struct Damaged<'a> {
    /// The generation that is damaged; it is kept in a folder beside the store.
    pub(crate) generation: u64,
    /// The last group that is known of.
    pub(crate) sequence: u64,
    /// What is wrong with it.
    pub(crate) reason: &'a str,
}

/// Rebuilds a store as a later generation from its copy, and from what can still be read of it by the handle `salvage`.
/// `None` where that is nothing.
pub(crate) fn rebuild<B: Backend>(
    folder: &Folder,
    options: &EmbeddedOptions,
    damaged: Damaged<'_>,
    salvage: Option<&B>,
) -> Result<Option<Rebuilt>, StoreError> {
    let io_failed = |error: std::io::Error| from_io(&error);
    let copy = CopyReader::open(folder.path()).unwrap_or_else(|error| {
        tracing::error!(%error, "the copy to fall back on cannot be read");
        None
    });
    if copy.is_none() && salvage.is_none() {
        return Ok(None);
    }
    // The next one may be the copy that a recovery works on.
    let generation = damaged.generation + 2;
    let making = folder.generation_making(generation);
    remove_folder(&making).map_err(io_failed)?;
    std::fs::create_dir(&making).map_err(io_failed)?;
    let target = guard(|| B::open(&making, &options.backend))?;
    let mut loader = Loader::new(&target);
    let header = copy.as_ref().map(|copy| copy.header);
    let read = copy.map(|copy| copy.read(|table, key, value| loader.put(table, key, value))).transpose()?;
    loader.flush()?;
    let newer = salvage.map_or(Ok(0), |salvage| take_over(salvage, &mut loader))?;
    loader.flush()?;
    let sequence = damaged.sequence.max(header.map_or(0, |header| header.sequence)) + 1;
    let run = loader.get(Table::Meta, keys::RUN)?.filter(|run| decode_run(run).is_ok());
    let is_run_known = run.is_some();
    let run = run.map_or_else(|| encode_run(&Run::new()), Ok)?;
    let totals = loader.finish(&run, sequence)?;
    guard(|| target.close())?;
    if header.is_none() && totals.entries == 0 && !is_run_known {
        remove_folder(&making).map_err(io_failed)?;
        return Ok(None);
    }
    let kept = folder.keep_as_damaged(damaged.generation).map_err(io_failed)?;
    folder.complete(generation).map_err(io_failed)?;
    let is_whole = read.is_none_or(|read| read.is_whole && read.damaged_blocks == 0);
    let source = match header {
        Some(header) => {
            format!("the copy of {}{}", age(header), if is_whole { "" } else { ", which was damaged itself" })
        }
        None => "what could still be read of it".to_owned(),
    };
    let sentence = format!(
        "the store was damaged ({}) and was rebuilt from {source}: {} entries, {newer} of them from the damaged files, which \
         are kept in {}",
        damaged.reason,
        totals.entries,
        kept.display(),
    );
    Ok(Some(Rebuilt { generation, totals, sentence }))
}

/// Takes over what can be read of a damaged store and is newer than the copy. Returns how many entries that were.
fn take_over<B: Backend>(salvage: &B, loader: &mut Loader<'_, B>) -> Result<u64, StoreError> {
    let mut newer = 0;
    let mut failed = None;
    for table in Table::ALL {
        let mut scan = |key: &[u8], value: &[u8]| -> Result<(), StoreError> {
            let is_wanted = match table {
                Table::Entries => is_newer(key, value, loader.get(table, key)?.as_deref()),
                Table::Plans => decode_plan_page(key, value).is_ok(),
                Table::Meta => key == keys::CLEARING || (key == keys::RUN && decode_run(value).is_ok()),
            };
            if is_wanted {
                newer += u64::from(table == Table::Entries);
                loader.put(table, key, value)?;
            }
            Ok(())
        };
        // The database is damaged: where reading fails or panics, what was read so far is all there is.
        let _damaged = guard(|| {
            salvage.scan(table, &[], None, &mut |key, value| match scan(key, value) {
                Ok(()) => Ok(ControlFlow::Continue(())),
                Err(error) => {
                    failed = Some(error);
                    Ok(ControlFlow::Break(()))
                }
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(newer)
}

/// Whether an entry can be read and is newer than the one of the copy.
fn is_newer(key: &[u8], value: &[u8], copied: Option<&[u8]>) -> bool {
    let order = |entry: Entry| (entry.outcome.run, entry.outcome.pass, entry.outcome.attempts.ended_at());
    let Ok(entry) = decode_entry(key, value) else { return false };
    let copied = copied.and_then(|copied| decode_entry(key, copied).ok());
    keys::parse_entry(key).is_some() && copied.is_none_or(|copied| order(copied) < order(entry))
}

/// Says when a copy was made and how old it is.
fn age(header: Header) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let made_at = header.made_at.as_millis();
    let age_s = i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_sub(made_at).max(0) / 1000;
    let (days, hours, minutes) = (age_s / 86_400, age_s / 3_600 % 24, age_s / 60 % 60);
    let age = match (days, hours, minutes) {
        (0, 0, 0) => format!("{age_s} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    };
    match jiff::Timestamp::from_millisecond(made_at) {
        Ok(made_at) => format!("{made_at} ({age} old)"),
        Err(_) => age,
    }
}
