//! Rebuilds a store that is damaged from the copy to fall back on and from what can still be read of the store itself.

use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use price_cache_domain::{Entry, Run, StoreError};
use price_cache_records::{decode_entry, decode_plan_page, decode_run, encode_run, keys};

use crate::error::from_io;
use crate::fallback_copy::{CopyReader, Header};
use crate::folder::{Folder, remove_folder};
use crate::loader::Loader;
use crate::open::guard;
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

/// Rebuilds a store as its next generation; `None` where there is no copy. The damaged generation is kept in a folder beside
/// it. `salvage` is a handle on what can still be read of it, and `sequence` the last group that is known of.
pub(crate) fn rebuild<B: Backend>(
    folder: &Folder,
    options: &EmbeddedOptions,
    damaged: u64,
    salvage: Option<&B>,
    sequence: u64,
    reason: &str,
) -> Result<Option<Rebuilt>, StoreError> {
    let copy = match CopyReader::open(folder.path()) {
        Ok(Some(copy)) => copy,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::error!(%error, "the copy to fall back on cannot be read");
            return Ok(None);
        }
    };
    let header = copy.header;
    // The next one may be the copy that a recovery works on.
    let generation = damaged + 2;
    let making = folder.generation_making(generation);
    remove_folder(&making).map_err(|error| from_io(&error))?;
    std::fs::create_dir(&making).map_err(|error| from_io(&error))?;
    let target = guard(|| B::open(&making, &options.backend))?;
    let mut loader = Loader::new(&target);
    let read = copy.read(|table, key, value| loader.put(table, key, value))?;
    loader.flush()?;
    let newer = salvage.map_or(Ok(0), |salvage| take_over(salvage, &mut loader))?;
    loader.flush()?;
    let sequence = sequence.max(header.sequence) + 1;
    let run = loader.get(Table::Meta, keys::RUN)?;
    let run = match run.filter(|run| decode_run(run).is_ok()) {
        Some(run) => run,
        None => encode_run(&Run::new())?,
    };
    let totals = loader.finish(&run, sequence)?;
    guard(|| target.close())?;
    let kept = folder.keep_as_damaged(damaged).map_err(|error| from_io(&error))?;
    folder.complete(generation).map_err(|error| from_io(&error))?;
    let incomplete =
        if read.is_whole && read.damaged_blocks == 0 { "" } else { ", which was damaged itself" };
    let sentence = format!(
        "the store was damaged ({reason}) and was rebuilt from the copy of {}{incomplete}: {} entries, {newer} of them from \
         what could still be read; the damaged files are kept in {}",
        age(header),
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
