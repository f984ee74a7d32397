//! What every database has: its format, the run, the totals, and plans that can be cleared.

use std::fs;
use std::ops::ControlFlow;

use price_cache_domain::{Run, StoreError};
use price_cache_records::{encode_run, keys};

use crate::error::from_io;
use crate::folder::{Folder, remove_folder};
use crate::panics::{guard, guarded};
use crate::totals::{self, Totals};
use crate::{Backend, BackendSettings, EmbeddedOptions, Table, WriteGroup};

/// The format of the folder and the tables; records have a version of their own.
const LAYOUT_VERSION: u32 = 1;
/// Plan pages deleted with one group.
const DELETED_AT_ONCE: usize = 4_096;

/// Returns an error where the database has another layout than this version writes.
pub(crate) fn check_format<B: Backend>(database: &B) -> Result<(), StoreError> {
    let found = guard(|| database.get(Table::Meta, keys::FORMAT))?;
    let found = found.and_then(|bytes| <[u8; 4]>::try_from(bytes.as_slice()).ok()).map(u32::from_be_bytes);
    match found {
        Some(LAYOUT_VERSION) => Ok(()),
        Some(0) | None => Err(StoreError::Damaged("it does not say which format it has".to_owned())),
        Some(found) => Err(StoreError::NewerFormat { found, supported: LAYOUT_VERSION }),
    }
}

/// Writes what every database has from its beginning.
pub(crate) fn write_head(group: &mut dyn WriteGroup, run: &[u8], totals: Totals) -> Result<(), StoreError> {
    group.put(Table::Meta, keys::FORMAT, &LAYOUT_VERSION.to_be_bytes())?;
    group.put(Table::Meta, keys::RUN, run)?;
    group.put(Table::Meta, totals::KEY, &totals.encode())?;
    Ok(())
}

/// Makes an empty generation that holds `run`. It is there whole or not at all.
pub(crate) fn make<B: Backend>(
    folder: &Folder,
    options: &EmbeddedOptions,
    generation: u64,
    run: &Run,
    sequence: u64,
) -> Result<(), StoreError> {
    let making = folder.generation_making(generation);
    let run = encode_run(run)?;
    remove_folder(&making).map_err(|error| from_io(&error))?;
    fs::create_dir(&making).map_err(|error| from_io(&error))?;
    let settings = BackendSettings { before_commit: None, ..options.backend.clone() };
    guarded(|| {
        let database = B::open(&making, &settings)?;
        let totals = Totals { sequence, ..Totals::default() };
        database.write(&mut |group| write_head(group, &run, totals))?;
        database.close()
    })?;
    folder.complete(generation).map_err(|error| from_io(&error))
}

/// Deletes all plan pages, then the marker that says they are to be deleted.
pub(crate) fn finish_clearing<B: Backend>(database: &B) -> Result<(), StoreError> {
    if database.get(Table::Meta, keys::CLEARING)?.is_none() {
        return Ok(());
    }
    delete_plans(database, None)?;
    database.write(&mut |group| group.remove(Table::Meta, keys::CLEARING).map(drop))
}

/// Deletes the plan pages whose keys do not begin with `keep`.
pub(crate) fn delete_plans<B: Backend>(database: &B, keep: Option<[u8; 8]>) -> Result<(), StoreError> {
    loop {
        let mut found = Vec::new();
        database.scan(Table::Plans, &[], None, &mut |key, _| {
            if keep.is_none_or(|keep| !key.starts_with(&keep)) {
                found.push(key.to_vec());
            }
            let is_enough = found.len() >= DELETED_AT_ONCE;
            Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if found.is_empty() {
            return Ok(());
        }
        database
            .write(&mut |group| found.iter().try_for_each(|key| group.remove(Table::Plans, key).map(drop)))?;
    }
}
