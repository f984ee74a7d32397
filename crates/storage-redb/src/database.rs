//! The database: opening, looking, reading, writing, closing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use price_cache_domain::StoreError;
use price_cache_storage_embedded::{
    Backend, BackendSettings, Recovery, Table, Visit, WriteGroup, sync_folder,
};
use redb::backends::FileBackend;
use redb::{Builder, Database, Durability, StorageBackend};

use crate::error::{from_io, from_redb};
use crate::group::Group;
use crate::overlay::Overlay;
use crate::snapshot::Snapshot;
use crate::tables::{self, RECENT};

/// The name of the file in the folder.
pub const FILE_NAME: &str = "store.redb";
/// The name of a new file until it is complete; what is left over from a kill is deleted.
const MAKING_NAME: &str = "store.redb.making";

/// An open database of redb, one file.
///
/// A group is one transaction of redb: after a kill, a loss of power or an error it is there whole or not at all. Reads see
/// the last committed group. After an error in [`write`](Backend::write) the handle refuses further ones, and its reads may
/// fail too.
pub struct RedbDatabase {
    /// Before the database, because it has to be dropped first.
    snapshot: RwLock<Arc<Snapshot>>,
    database: Database,
    /// Behind the database, because it has to be dropped later.
    after_an_error: ForgetAfterAnError,
    settings: BackendSettings,
    /// What the table of recent records has.
    recent_bytes: AtomicUsize,
    is_a_look: bool,
}

/// Whether a write failed; if so, forgets in the end what the system has of the file in memory.
///
/// After a sync that failed, Linux keeps the pages that it could not write and takes them for written: a process that opens the file
/// next would see a group that is not on the disk, and build on it. Without them it sees what the disk has.
#[derive(Default)]
struct ForgetAfterAnError {
    failed: AtomicBool,
    path: Option<PathBuf>,
}

impl Drop for ForgetAfterAnError {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && self.failed.load(Ordering::Acquire)
        {
            forget_pages(path);
        }
    }
}

/// Has the pages of a file in memory forgotten, but for those still to be written; as far as the system can do it.
fn forget_pages(path: &Path) {
    #[cfg(target_os = "linux")]
    if let Ok(file) = File::open(path) {
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = path;
}

impl RedbDatabase {
    /// Opens the database on a storage, for tests and tools: [`open`](Backend::open) is this on the file in a folder. An empty
    /// storage becomes an empty database; a kill meanwhile can leave a storage that is no database, which is why a file is
    /// made under another name.
    ///
    /// # Errors
    /// The storage fails, or holds no database, or a damaged one, or one of a newer format.
    pub fn open_on(storage: impl StorageBackend, settings: &BackendSettings) -> Result<Self, StoreError> {
        // A process that was killed may have left a group in the memory of the system. It is about to be shown.
        storage.sync_data().map_err(|error| from_io(&error))?;
        let is_new = storage.len().map_err(|error| from_io(&error))? == 0;
        let database = builder(settings).create_with_backend(storage).map_err(from_redb)?;
        if is_new {
            make_tables(&database)?;
        }
        Self::new(database, settings, false)
    }

    /// Opens the database on a storage without changing it, for tests and tools: [`look`](Backend::look) is this on the file
    /// in a folder. Nothing but `len`, `read` and `close` of the storage is called.
    ///
    /// # Errors
    /// The storage cannot be read, or holds no database, or a damaged one, or one of a newer format.
    pub fn look_on(storage: impl StorageBackend, settings: &BackendSettings) -> Result<Self, StoreError> {
        Self::overlaid(storage, settings, true)
    }

    /// Opens the database for reading, with what redb writes meanwhile kept in memory.
    fn overlaid(
        storage: impl StorageBackend,
        settings: &BackendSettings,
        is_checked: bool,
    ) -> Result<Self, StoreError> {
        let overlay = Overlay::new(storage).map_err(|error| from_io(&error))?;
        refuse_empty(&overlay)?;
        let seal = overlay.seal();
        let database = builder(settings)
            .set_check_integrity_on_open(is_checked)
            .create_with_backend(overlay)
            .map_err(from_redb)?;
        // Nothing is written from here on, also not what redb would write at the end.
        seal.close();
        Self::new(database, settings, true)
    }

    fn new(database: Database, settings: &BackendSettings, is_a_look: bool) -> Result<Self, StoreError> {
        let snapshot = Snapshot::first(&database)?;
        Ok(Self {
            recent_bytes: snapshot.recent_bytes()?.into(),
            snapshot: RwLock::new(Arc::new(snapshot)),
            database,
            settings: settings.clone(),
            after_an_error: ForgetAfterAnError::default(),
            is_a_look,
        })
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Commits what `work` changes and shows it.
    fn commit(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write().map_err(from_redb)?;
        transaction.set_durability(Durability::Immediate).map_err(from_redb)?;
        let mut group = Group::begin(&transaction, self.recent_bytes.load(Ordering::Relaxed))?;
        work(&mut group)?;
        let recent_bytes = group.finish()?;
        if let Some(before_commit) = &self.settings.before_commit {
            before_commit();
        }
        transaction.commit().map_err(from_redb)?;
        let snapshot = Arc::new(Snapshot::take(&self.database)?);
        self.recent_bytes.store(recent_bytes, Ordering::Relaxed);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }
}

type Work<'a> = dyn FnMut(&mut dyn WriteGroup) -> Result<(), StoreError> + 'a;

fn builder(settings: &BackendSettings) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(usize::try_from(settings.cache_bytes).unwrap_or(usize::MAX));
    builder
}

/// Refuses a file without a byte, of which redb would make an empty database. Ours has bytes from when it has its name.
fn refuse_empty(storage: &impl StorageBackend) -> Result<(), StoreError> {
    match storage.len() {
        Ok(0) => Err(StoreError::Damaged("the database file is empty".to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(from_io(&error)),
    }
}

fn make_tables(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_write().map_err(from_redb)?;
    for definition in Table::ALL.map(tables::definition).into_iter().chain([RECENT]) {
        transaction.open_table(definition).map_err(from_redb)?;
    }
    transaction.commit().map_err(from_redb)
}

/// Opens a file that is there or, where `new`, must not be.
fn open_file(path: &Path, new: bool) -> Result<FileBackend, StoreError> {
    let file =
        File::options().read(true).write(true).create_new(new).open(path).map_err(|error| from_io(&error))?;
    FileBackend::new(file).map_err(from_redb)
}

/// Makes an empty database; its name appears when it is complete and durable.
fn make_file(folder: &Path, settings: &BackendSettings) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| from_io(&error);
    let making = folder.join(MAKING_NAME);
    match fs::remove_file(&making) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    RedbDatabase::open_on(open_file(&making, true)?, settings)?.close()?;
    File::open(&making).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&making, folder.join(FILE_NAME)).map_err(failed)
}

impl Backend for RedbDatabase {
    const KIND: &'static str = "redb";
    const RECOVERY: Recovery = Recovery::AfterALook;
    const GROUPS_ARE_ATOMIC: bool = true;

    fn is_in(folder: &Path) -> bool {
        folder.join(FILE_NAME).is_file()
    }

    /// Opens the file in a folder, or makes it. After a kill redb recovers in place, which another kill at any moment, an
    /// error or a full disk does not harm.
    fn open(folder: &Path, settings: &BackendSettings) -> Result<Self, StoreError> {
        if !Self::is_in(folder) {
            make_file(folder, settings)?;
        }
        // Each time: the process that made the file may have been killed before it came to this.
        sync_folder(folder).map_err(|error| from_io(&error))?;
        let path = folder.join(FILE_NAME);
        let file = open_file(&path, false)?;
        refuse_empty(&file)?;
        let mut opened = Self::open_on(file, settings).inspect_err(|_| forget_pages(&path))?;
        opened.after_an_error.path = Some(path);
        Ok(opened)
    }

    /// Opens the file for reading. Recovery happens in memory, of which it takes little however large the file is, so
    /// `scratch` stays empty. Every checksum of redb is verified. [`write`](Backend::write) is refused. Nobody may be writing
    /// to the file meanwhile.
    fn look(folder: &Path, settings: &BackendSettings, _scratch: &Path) -> Result<Self, StoreError> {
        let file = File::open(folder.join(FILE_NAME)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Damaged("the database file is missing".to_owned()),
            _ => from_io(&error),
        })?;
        Self::look_on(FileBackend::new(file).map_err(from_redb)?, settings)
    }

    /// Opens the file like a look, without verifying checksums: records have their own.
    fn salvage(folder: &Path, settings: &BackendSettings, _scratch: &Path) -> Result<Self, StoreError> {
        let file = File::open(folder.join(FILE_NAME)).map_err(|error| from_io(&error))?;
        Self::overlaid(FileBackend::new(file).map_err(from_redb)?, settings, false)
    }

    fn get_many(&self, table: Table, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let snapshot = self.snapshot();
        keys.iter().map(|key| snapshot.get(table, key)).collect()
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        self.snapshot().scan(table, from, to, visit)
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn WriteGroup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.is_a_look {
            return Err(StoreError::Io("the database is open for reading only".to_owned()));
        }
        // Set during the commit, so that it stays after a panic in it.
        if self.after_an_error.failed.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Io(
                "the database has to be opened again after an earlier error".to_owned(),
            ));
        }
        let result = self.commit(work);
        self.after_an_error.failed.store(result.is_err(), Ordering::Release);
        result
    }

    fn close(self) -> Result<(), StoreError> {
        drop(self.snapshot);
        if self.is_a_look {
            return Ok(());
        }
        self.database.close().map_err(from_redb)
    }
}
