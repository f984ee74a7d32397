//! One open handle of sled on one folder: opening, syncing, reading.

mod write;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use price_cache_domain::StoreError;
use price_cache_records::keys;
use price_cache_storage_embedded::{
    Backend, BackendSettings, Recovery, Table, Visit, WriteGroup, copy_folder, from_io, sync_folder,
};
use sled::{Db, Tree};

use self::write::Group;
use crate::chunks;
use crate::durable::Replaced;
use crate::error::from_sled;

/// How long an earlier handle of this process gets to let go of the log.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// The wait between two looks whether it has.
const LOCK_RETRY: Duration = Duration::from_millis(1);
/// How many keys are read from sled before readers are given their durable values.
const SCANNED_AT_ONCE: usize = 256;
/// Ends the name of a snapshot that sled did not finish.
const UNFINISHED_SNAPSHOT: &str = ".generating";

/// An open database on sled.
pub struct SledDatabase {
    entries: Tree,
    plans: Tree,
    meta: Tree,
    /// Keeps a reader of a value in chunks from seeing two versions of it.
    pub(crate) chunked: RwLock<()>,
    /// What readers see while a group is on its way.
    pub(crate) replaced: Replaced,
    path: PathBuf,
    /// The log, opened a second time to sync it: sled's own flush leaves the disk's cache alone.
    log: File,
    blobs_synced: Mutex<HashSet<OsString>>,
    settings: BackendSettings,
    db: Db,
}

impl SledDatabase {
    fn over(db: Db, path: &Path, settings: &BackendSettings) -> Result<Self, StoreError> {
        let tree = |table: Table| db.open_tree(table.name()).map_err(|error| from_sled(&error));
        let log = File::open(path.join("db")).map_err(|error| from_io(&error))?;
        let database = Self {
            entries: tree(Table::Entries)?,
            plans: tree(Table::Plans)?,
            meta: tree(Table::Meta)?,
            chunked: RwLock::new(()),
            replaced: Replaced::default(),
            path: path.to_owned(),
            log,
            blobs_synced: Mutex::default(),
            settings: settings.clone(),
            db,
        };
        // What a killed process wrote and did not sync is shown from now on.
        database.sync()?;
        Ok(database)
    }

    pub(crate) fn tree(&self, table: Table) -> &Tree {
        match table {
            Table::Entries => &self.entries,
            Table::Plans => &self.plans,
            Table::Meta => &self.meta,
        }
    }

    /// Whether values of this key are kept in chunks: plan pages, and the run with its plan.
    pub(crate) fn is_in_chunks(table: Table, key: &[u8]) -> bool {
        match table {
            Table::Entries => false,
            // A shorter key is one that this program did not write.
            Table::Plans => key.len() >= keys::PLAN_PAGE_BYTES,
            Table::Meta => key == keys::RUN,
        }
    }

    /// Returns the value that sled has at present, durable or not.
    pub(crate) fn present(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if Self::is_in_chunks(table, key) {
            let _whole = self.chunked.read().unwrap_or_else(PoisonError::into_inner);
            return chunks::get(self.tree(table), key);
        }
        let found = self.tree(table).get(key).map_err(|error| from_sled(&error))?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// Makes everything written so far durable.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|error| from_sled(&error))?;
        self.sync_blobs().map_err(|error| from_io(&error))?;
        self.log.sync_data().map_err(|error| from_io(&error))
    }

    /// Sled keeps pages beyond a size in files of their own and does not sync those.
    fn sync_blobs(&self) -> io::Result<()> {
        let folder = self.path.join("blobs");
        let mut synced = self.blobs_synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = HashSet::new();
        let mut any_new = false;
        for item in fs::read_dir(&folder)? {
            let name = item?.file_name();
            if !synced.contains(&name) {
                match File::open(folder.join(&name)).and_then(|file| file.sync_all()) {
                    // Sled deletes a blob as soon as nothing points to it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    result => result?,
                }
                any_new = true;
            }
            found.insert(name);
        }
        *synced = found;
        if any_new { sync_folder(&folder) } else { Ok(()) }
    }

    /// Visits values that are not in chunks. Keys are read in portions; the durable values of a portion are found after it
    /// was read.
    fn scan_values(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        let mut from = from.to_vec();
        loop {
            let mut portion = Vec::with_capacity(SCANNED_AT_ONCE);
            for item in self.tree(table).range::<&[u8], _>((Bound::Included(from.as_slice()), end)) {
                let (key, value) = item.map_err(|error| from_sled(&error))?;
                portion.push((key.to_vec(), Some(value.to_vec())));
                if portion.len() == SCANNED_AT_ONCE {
                    break;
                }
            }
            let is_last = portion.len() < SCANNED_AT_ONCE;
            // The key after the last one of the portion, which is where the next one begins.
            let next = portion.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
            let noted_end = match &next {
                Some(next) if !is_last => Bound::Excluded(next.as_slice()),
                _ => end,
            };
            let noted = self.replaced.noted(table, &from, noted_end);
            for (key, value) in with_noted(portion, noted) {
                let Some(value) = value else { continue };
                if visit(&key, &value)?.is_break() {
                    return Ok(());
                }
            }
            match next {
                Some(next) if !is_last => from = next,
                _ => return Ok(()),
            }
        }
    }

    /// Visits values in chunks, by the keys that the chunks have in common.
    fn scan_chunked(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = Vec::<Vec<u8>>::new();
        for key in self.tree(table).range::<&[u8], _>((Bound::Included(from), end)).keys() {
            let key = key.map_err(|error| from_sled(&error))?;
            let key = match key.len().checked_sub(chunks::NUMBER_BYTES) {
                Some(length) if Self::is_in_chunks(table, &key[..length]) => &key[..length],
                _ => &key,
            };
            if found.last().is_none_or(|last| last != key) {
                found.push(key.to_vec());
            }
        }
        let noted = self.replaced.noted(table, from, end);
        let found = found.into_iter().map(|key| (key, None)).collect();
        for (key, _) in with_noted(found, noted) {
            let value = self.get(table, &key)?;
            let Some(value) = value else { continue };
            if visit(&key, &value)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Puts noted values in place of those that were read; both in the order of keys.
fn with_noted(
    read: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    noted: Vec<(Vec<u8>, Option<Vec<u8>>)>,
) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    if noted.is_empty() {
        return read;
    }
    let mut merged: std::collections::BTreeMap<_, _> = read.into_iter().collect();
    merged.extend(noted);
    merged.into_iter().collect()
}

impl Backend for SledDatabase {
    const KIND: &'static str = "sled";
    const RECOVERY: Recovery = Recovery::OnACopy;
    const GROUPS_ARE_ATOMIC: bool = false;
    const THREAD_PREFIX: Option<&'static str> = Some("sled-");

    fn is_in(folder: &Path) -> bool {
        ["db", "conf", "blobs"].iter().any(|name| folder.join(name).exists())
    }

    fn open(folder: &Path, settings: &BackendSettings) -> Result<Self, StoreError> {
        remove_snapshots(folder, UNFINISHED_SNAPSHOT).map_err(|error| from_io(&error))?;
        let db = open_sled(folder, settings)?;
        Self::over(db, folder, settings)
    }

    /// Without a snapshot that can be read, sled reads its log from the beginning. For short logs that loses records, also
    /// from the log itself, so it is tried on copies only.
    fn open_copy(folder: &Path, settings: &BackendSettings) -> Result<Self, StoreError> {
        match Self::open(folder, settings) {
            Err(StoreError::Damaged(reason)) => {
                tracing::warn!(reason, "the database is opened again without its snapshots");
                remove_snapshots(folder, "").map_err(|error| from_io(&error))?;
                Self::open(folder, settings)
            }
            opened => opened,
        }
    }

    /// Opens a copy: sled cannot open without writing.
    fn look(folder: &Path, settings: &BackendSettings, scratch: &Path) -> Result<Self, StoreError> {
        copy_folder(folder, scratch).map_err(|error| match from_io(&error) {
            StoreError::Full(_) => StoreError::Full(format!(
                "there is no space for a copy of the database in {}; TMPDIR names another folder",
                std::env::temp_dir().display()
            )),
            other => other,
        })?;
        Self::open_copy(scratch, settings)
    }

    fn get_many(&self, table: Table, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let durable = |key: &&[u8]| {
            let present = self.present(table, key)?;
            Ok(self.replaced.durable(table, key, present))
        };
        keys.iter().map(durable).collect()
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        match table {
            Table::Entries => self.scan_values(table, from, to, visit),
            Table::Plans => self.scan_chunked(table, from, to, visit),
            Table::Meta => {
                // The chunks of the run are among the keys.
                let mut is_run_visited = false;
                self.scan_values(table, from, to, &mut |key, value| {
                    if !key.starts_with(keys::RUN) {
                        return visit(key, value);
                    }
                    if std::mem::replace(&mut is_run_visited, true) {
                        return Ok(ControlFlow::Continue(()));
                    }
                    let run = self.get(table, keys::RUN)?;
                    run.map_or(Ok(ControlFlow::Continue(())), |run| visit(keys::RUN, &run))
                })
            }
        }
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn WriteGroup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        work(&mut Group(self))?;
        if let Some(before_commit) = &self.settings.before_commit {
            before_commit();
        }
        self.sync()?;
        self.replaced.forget();
        Ok(())
    }

    fn close(self) -> Result<(), StoreError> {
        self.sync()?;
        drop(self);
        Ok(())
    }
}

/// Deletes the snapshots whose names end with `suffix`. Before an open, those that a killed process did not finish have to
/// go: sled would take one for the newest snapshot and for a damaged one. The finished snapshot before it is still there.
fn remove_snapshots(folder: &Path, suffix: &str) -> io::Result<()> {
    let items = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        items => items?,
    };
    for item in items {
        let item = item?;
        let name = item.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(suffix) {
            tracing::info!(file = %name, "removed a snapshot of the database");
            fs::remove_file(item.path())?;
        }
    }
    Ok(())
}

/// Opens sled, waiting for an earlier handle of this process to let go: sled's threads may hold it a
/// little longer. No other process can have it, as the folder is locked.
fn open_sled(path: &Path, settings: &BackendSettings) -> Result<Db, StoreError> {
    let deadline = Instant::now() + LOCK_WAIT_MAX;
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(settings.cache_bytes)
        .mode(sled::Mode::LowSpace)
        // The storage thread flushes; a second flusher would only add writes.
        .flush_every_ms(None);
    loop {
        match config.open() {
            Err(error) if is_lock_error(&error) && Instant::now() < deadline => thread::sleep(LOCK_RETRY),
            opened => return opened.map_err(|error| opening_failed(&error)),
        }
    }
}

/// Sled gives this error no kind of its own.
fn is_lock_error(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().starts_with("could not acquire lock"))
}

/// What sled says about files that end too early or contradict themselves is damage too.
fn opening_failed(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::ReportableBug(_) => {
            StoreError::Damaged("the files of the database contradict each other".to_owned())
        }
        sled::Error::Io(cause)
            if matches!(cause.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
        {
            StoreError::Damaged("a file of the database ends too early or cannot be read".to_owned())
        }
        _ => from_sled(error),
    }
}
