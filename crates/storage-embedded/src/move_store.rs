//! Moves a store from one kind of database to another: as the next generation of the same folder, which is there whole or
//! not at all, so that the move may be killed and repeated at any moment.

use std::ops::ControlFlow;

use price_cache_domain::StoreError;
use price_cache_records::keys;

use crate::error::from_io;
use crate::folder::{Folder, remove_folder};
use crate::layout::check_format;
use crate::loader::{Loader, is_own};
use crate::open;
use crate::panics::guard;
use crate::reserve::Reserve;
use crate::{Backend, EmbeddedOptions, OpenError, Table};

/// What was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How many entries.
    pub entries: u64,
    /// How many plan pages.
    pub plan_pages: u64,
}

/// Moves the store of a folder from a database of kind `A` to one of kind `B`. Every record is read, written and read back
/// before the move counts; then the old database is deleted.
///
/// # Errors
/// The store cannot be opened, or there is no space for the new database; the store stays what it was.
pub fn move_store<A: Backend, B: Backend>(
    from: &EmbeddedOptions,
    to: &EmbeddedOptions,
) -> Result<Moved, OpenError> {
    let folder = Folder::look(&from.path)?;
    drop(folder);
    let folder = Folder::open(&from.path)?;
    open::check_kind::<A>(&folder)?;
    let reserve = Reserve::new(folder.path(), from.reserve_bytes);
    let opened = open::open::<A>(&folder, from, &reserve)?;
    let moved = || -> Result<Moved, StoreError> {
        let source = &opened.handle.database;
        let present = folder.newest().map_err(|error| from_io(&error))?.unwrap_or_default();
        let making = folder.generation_making(present + 1);
        remove_folder(&making).map_err(|error| from_io(&error))?;
        std::fs::create_dir(&making).map_err(|error| from_io(&error))?;
        let target = guard(|| B::open(&making, &to.backend))?;
        let result = copy(source, &target, opened.totals.sequence + 1);
        guard(|| target.close())?;
        let expected = result?;
        // Read back from the files, not from what is still in memory.
        let target = guard(|| B::open(&making, &to.backend))?;
        check_format(&target)?;
        let found = fingerprint(&target)?;
        guard(|| target.close())?;
        if found != expected {
            return Err(StoreError::Io("the new database does not read back what was written".to_owned()));
        }
        folder.complete(present + 1).map_err(|error| from_io(&error))?;
        Ok(Moved { entries: found.counts[0], plan_pages: found.counts[1] })
    };
    let result = moved().map_err(|error| OpenError::from_store(folder.path(), error));
    if let Err(error) = opened.handle.close() {
        tracing::warn!(%error, "the old database was not closed well");
    }
    if let Ok(Some(newest)) = folder.newest() {
        folder.delete_generations_except(newest);
    }
    result
}

/// Stands for the contents of a database, but for what each database has of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fingerprint {
    /// Records of each table.
    counts: [u64; 3],
    /// A checksum over all records in their order.
    checksum: u32,
}

impl Fingerprint {
    fn add(&mut self, index: u8, key: &[u8], value: &[u8]) {
        self.counts[usize::from(index)] += 1;
        let mut hasher = crc32fast::Hasher::new_with_initial(self.checksum);
        hasher.update(&[index]);
        hasher.update(&key.len().to_le_bytes());
        hasher.update(key);
        hasher.update(value);
        self.checksum = hasher.finalize();
    }
}

fn copy<A: Backend, B: Backend>(source: &A, target: &B, sequence: u64) -> Result<Fingerprint, StoreError> {
    let mut loader = Loader::new(target);
    let mut fingerprint = Fingerprint::default();
    for (index, table) in (0_u8..).zip(Table::ALL) {
        source.scan(table, &[], None, &mut |key, value| {
            if !is_own(table, key) {
                fingerprint.add(index, key, value);
                loader.put(table, key, value)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let run = guard(|| source.get(Table::Meta, keys::RUN))?;
    let run = match run {
        Some(run) => run,
        None => price_cache_records::encode_run(&price_cache_domain::Run::new())?,
    };
    loader.finish(&run, sequence)?;
    Ok(fingerprint)
}

fn fingerprint<B: Backend>(database: &B) -> Result<Fingerprint, StoreError> {
    let mut fingerprint = Fingerprint::default();
    for (index, table) in (0_u8..).zip(Table::ALL) {
        guard(|| {
            database.scan(table, &[], None, &mut |key, value| {
                if !is_own(table, key) {
                    fingerprint.add(index, key, value);
                }
                Ok(ControlFlow::Continue(()))
            })
        })?;
    }
    Ok(fingerprint)
}
