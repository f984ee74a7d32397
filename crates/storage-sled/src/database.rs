//! One open handle of sled on one generation: opening with repair, syncing, and the trees.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use price_cache_domain::{Run, StoreError};
use sled::{Batch, Db, Tree};

use crate::codec::encode_run;
use crate::error::{from_io, from_sled};
use crate::folder::{Folder, sync_folder};
use crate::panics::{guarded, guarded_or};
use crate::snapshots::{has_snapshots, move_snapshots_aside};
use crate::{OpenError, SledOptions, chunks, keys};

/// The format of the folder and the trees; records have a version of their own.
const LAYOUT_VERSION: u32 = 1;
/// Plan pages deleted with one batch.
const DELETED_AT_ONCE: usize = 4_096;
/// How long an earlier handle of this process gets to let go of the log.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// The wait between two looks whether it has.
const LOCK_RETRY: Duration = Duration::from_millis(1);

/// An open database.
pub(crate) struct Database {
    pub(crate) entries: Tree,
    pub(crate) plans: Tree,
    pub(crate) meta: Tree,
    /// Keeps a reader of a value in chunks from seeing two versions of it.
    pub(crate) chunked: RwLock<()>,
    path: PathBuf,
    /// The log, opened a second time to sync it: sled's own flush leaves the disk's cache alone.
    log: File,
    blobs_synced: Mutex<HashSet<OsString>>,
    /// Set by the first read that shows the pages to contradict each other.
    distrusted: OnceLock<StoreError>,
    db: Db,
}

impl Database {
    /// Opens the newest generation, or makes the first one, and finishes what a crash left unfinished.
    pub(crate) fn open(folder: &Folder, options: &SledOptions) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::from_io(folder.path(), &error);
        let generation = match folder.newest().map_err(failed)? {
            Some(generation) => generation,
            None => {
                Self::make(folder, options, 1, &Run::new())
                    .map_err(|error| OpenError::from_store(folder.path(), error))?;
                1
            }
        };
        let database = Self::open_generation(folder, options, generation)?;
        folder.delete_generations_except(generation);
        Ok(database)
    }

    fn open_generation(folder: &Folder, options: &SledOptions, generation: u64) -> Result<Self, OpenError> {
        let path = folder.generation(generation);
        let opened = match open_sled(&path, options) {
            Err(failure) if failure.may_be_snapshot && has_snapshots(&path) => {
                move_snapshots_aside(folder, &path, &failure.error)
                    .map_err(|error| OpenError::from_io(folder.path(), &error))?;
                open_sled(&path, options)
            }
            opened => opened,
        };
        opened
            .map_err(|failure| failure.error)
            .and_then(|db| guarded(|| Self::over(db, path)))
            .map_err(|error| OpenError::from_store(folder.path(), error))
    }

    fn over(db: Db, path: PathBuf) -> Result<Self, StoreError> {
        let tree = |name: &str| db.open_tree(name).map_err(|error| from_sled(&error));
        let log = File::open(path.join("db")).map_err(|error| from_io(&error))?;
        let database = Self {
            entries: tree("entries")?,
            plans: tree("plans")?,
            meta: tree("meta")?,
            chunked: RwLock::new(()),
            path,
            log,
            blobs_synced: Mutex::default(),
            distrusted: OnceLock::new(),
            db,
        };
        database.check_format()?;
        if database.meta.contains_key(keys::CLEARING).map_err(|error| from_sled(&error))? {
            database.finish_clearing()?;
        }
        Ok(database)
    }

    fn check_format(&self) -> Result<(), StoreError> {
        let found = self.meta.get(keys::FORMAT).map_err(|error| from_sled(&error))?;
        let found = found.and_then(|bytes| <[u8; 4]>::try_from(bytes.as_ref()).ok()).map(u32::from_be_bytes);
        match found {
            Some(LAYOUT_VERSION) => Ok(()),
            Some(0) | None => Err(StoreError::Damaged("it does not say which format it has".to_owned())),
            Some(found) => Err(StoreError::NewerFormat { found, supported: LAYOUT_VERSION }),
        }
    }

    /// Makes an empty generation that holds `run`. It is there whole or not at all.
    pub(crate) fn make(
        folder: &Folder,
        options: &SledOptions,
        generation: u64,
        run: &Run,
    ) -> Result<(), StoreError> {
        let making = folder.generation_making(generation);
        let run = encode_run(run)?;
        let io_failed = |error: io::Error| from_io(&error);
        match fs::remove_dir_all(&making) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(from_io(&error)),
            _ => {}
        }
        let db = open_sled(&making, options).map_err(|failure| failure.error)?;
        guarded(|| {
            let meta = db.open_tree("meta").map_err(|error| from_sled(&error))?;
            meta.insert(keys::FORMAT, &LAYOUT_VERSION.to_be_bytes()).map_err(|error| from_sled(&error))?;
            let mut batch = Batch::default();
            chunks::put(&meta, &mut batch, keys::RUN, &run)?;
            meta.apply_batch(batch).map_err(|error| from_sled(&error))?;
            db.flush().map_err(|error| from_sled(&error))?;
            drop((meta, db));
            Ok(())
        })?;
        for item in fs::read_dir(&making).map_err(io_failed)?.flatten() {
            File::open(item.path()).and_then(|file| file.sync_all()).map_err(io_failed)?;
        }
        sync_folder(&making).map_err(io_failed)?;
        fs::rename(&making, folder.generation(generation)).map_err(io_failed)?;
        sync_folder(folder.path()).map_err(io_failed)
    }

    /// Makes everything written so far durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
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

    /// Reads; where sled panics, this handle is not read from again. Each such read would take seconds, in which sled
    /// looks for a way through its pages, and what it finds by another way is not to be trusted either.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.trusted()?;
        guarded_or(|| work(self), || self.distrusted.get_or_init(contradiction).clone())
    }

    /// An error where a read has shown that the pages contradict each other.
    pub(crate) fn trusted(&self) -> Result<(), StoreError> {
        self.distrusted.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Deletes all plan pages, then the marker that says they are to be deleted.
    pub(crate) fn finish_clearing(&self) -> Result<(), StoreError> {
        self.delete_plans(None)?;
        self.sync()?;
        self.meta.remove(keys::CLEARING).map_err(|error| from_sled(&error))?;
        self.sync()
    }

    /// Deletes the plan pages whose keys do not begin with `keep`.
    pub(crate) fn delete_plans(&self, keep: Option<[u8; 8]>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        let mut count = 0;
        for key in self.plans.iter().keys() {
            let key = key.map_err(|error| from_sled(&error))?;
            if keep.is_some_and(|keep| key.starts_with(&keep)) {
                continue;
            }
            batch.remove(key);
            count += 1;
            if count >= DELETED_AT_ONCE {
                self.plans.apply_batch(std::mem::take(&mut batch)).map_err(|error| from_sled(&error))?;
                count = 0;
            }
        }
        self.plans.apply_batch(batch).map_err(|error| from_sled(&error))
    }

    /// Lets the handle go. Sled writes when that happens, and may panic.
    pub(crate) fn close(self) {
        let closed = guarded(|| {
            drop(self);
            Ok(())
        });
        if let Err(error) = closed {
            tracing::error!(%error, "closing the database failed");
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

struct SledFailure {
    error: StoreError,
    /// Whether a damaged snapshot can be the cause.
    may_be_snapshot: bool,
    /// Whether sled's own file is locked.
    is_locked: bool,
}

/// Opens sled, waiting for an earlier handle of this process to let go: sled's threads may hold it a
/// little longer. No other process can have it, as the folder is locked.
fn open_sled(path: &Path, options: &SledOptions) -> Result<Db, SledFailure> {
    let deadline = Instant::now() + LOCK_WAIT_MAX;
    loop {
        match try_open_sled(path, options) {
            Err(failure) if failure.is_locked && Instant::now() < deadline => thread::sleep(LOCK_RETRY),
            opened => return opened,
        }
    }
}

fn try_open_sled(path: &Path, options: &SledOptions) -> Result<Db, SledFailure> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(options.cache_bytes)
        .mode(sled::Mode::LowSpace)
        // The storage thread flushes; a second flusher would only add writes.
        .flush_every_ms(None);
    let (mut may_be_snapshot, mut is_locked) = (true, false);
    let open = || {
        config.open().map_err(|error| {
            is_locked = is_lock_error(&error);
            may_be_snapshot = match &error {
                sled::Error::Io(error) => {
                    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
                }
                sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => true,
                sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) => false,
            };
            from_sled(&error)
        })
    };
    let opened = guarded_or(open, contradiction);
    opened.map_err(|error| SledFailure { error, may_be_snapshot, is_locked })
}

/// What it means that sled panics without having been written to.
fn contradiction() -> StoreError {
    StoreError::Damaged("the pages of the database contradict each other".to_owned())
}

/// Sled gives this error no kind of its own.
fn is_lock_error(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().starts_with("could not acquire lock"))
}
