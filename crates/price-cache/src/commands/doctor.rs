//! `doctor`: reads every record, recomputes every counter and reports what does not fit; with `--repair` it mends what
//! can be mended.

mod examination;
pub(crate) mod mend;
mod repair;
mod report;

use std::path::Path;

use price_cache_cli::arguments::DoctorArguments;
use price_cache_cli::{Exit, Streams};
use price_cache_domain::StoreError;
use price_cache_storage_embedded::{OpenError, fallback_copy_in};

use self::examination::Examination;
use super::loaded;
use crate::wiring;

/// Executes it on the store of the configuration, which no server may have open. Without `--repair` it changes no byte of
/// the store, whatever state that is in.
pub async fn execute(
    config: &Path,
    arguments: &DoctorArguments,
    streams: &mut Streams,
) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let storage = &loaded.configuration.storage;
    let copy = fallback_copy_in(&storage.path);
    let opened = if arguments.repair { wiring::open_store(storage) } else { wiring::look_at_store(storage) };
    let store = match opened {
        Ok(store) => store,
        Err(error @ OpenError::Damaged { .. }) => {
            report::unreadable(&error.to_string(), copy, arguments, streams)?;
            return Ok(Exit::Failed);
        }
        Err(error) => return Err(error.into()),
    };
    let mut examination = match Examination::of(&*store).await {
        Ok(examination) => examination,
        Err(StoreError::Damaged(reason)) => {
            report::unreadable(&reason, copy, arguments, streams)?;
            return Ok(Exit::Failed);
        }
        Err(error) => return Err(anyhow::Error::new(error).context("the store cannot be read to its end")),
    };
    let repair = if arguments.repair { Some(mend::mend(&*store, &mut examination).await?) } else { None };
    // A repair may have rebuilt the store, or a copy may have been made since.
    let copy = store.fallback_copy();
    if arguments.json {
        streams.data(&report::document(&*store, &examination, repair.as_ref(), copy)?)?;
    } else {
        report::tell(&*store, &examination, repair.as_ref(), copy, streams)?;
    }
    Ok(if examination.is_healthy() { Exit::Done } else { Exit::Failed })
}
