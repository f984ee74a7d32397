//! What the store's threads share: the folder and the handle of the moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use price_cache_domain::StoreError;
use tempfile::TempDir;

use crate::folder::Folder;
use crate::panics::{contradiction, guarded, guarded_or};
use crate::reserve::Reserve;
use crate::{Backend, EmbeddedOptions};

/// An open handle of the database.
pub(crate) struct Handle<B> {
    pub(crate) database: B,
    /// It can only be read, because it was opened by a look.
    pub(crate) is_look: bool,
    /// Set by the first read that shows the files to contradict each other.
    distrusted: OnceLock<StoreError>,
    /// What a look keeps elsewhere; deleted after the database is closed.
    _scratch: Option<TempDir>,
}

impl<B: Backend> Handle<B> {
    /// Wraps a database that is open for writing.
    pub(crate) fn new(database: B) -> Self {
        Self { database, is_look: false, distrusted: OnceLock::new(), _scratch: None }
    }

    /// Wraps a database that was opened by a look.
    pub(crate) fn look(database: B, scratch: TempDir) -> Self {
        Self { database, is_look: true, distrusted: OnceLock::new(), _scratch: Some(scratch) }
    }

    /// Reads; where the database panics, this handle is not read from again: another way through damaged pages is not to
    /// be trusted either.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&B) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.trusted()?;
        guarded_or(|| work(&self.database), || self.distrusted.get_or_init(contradiction).clone())
    }

    fn trusted(&self) -> Result<(), StoreError> {
        self.distrusted.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Lets the handle go. Databases write when that happens, and may panic.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        guarded(|| self.database.close())
    }
}

/// The handle of the moment.
pub(crate) enum Slot<B> {
    Open(Arc<Handle<B>>),
    /// It failed and is being replaced.
    Broken(StoreError),
    /// The store is closed for good.
    Closed,
}

pub(crate) struct Shared<B> {
    pub(crate) options: EmbeddedOptions,
    pub(crate) folder: Folder,
    pub(crate) reserve: Reserve,
    slot: RwLock<Slot<B>>,
    /// The last durable group.
    sequence: AtomicU64,
}

impl<B: Backend> Shared<B> {
    pub(crate) fn new(options: EmbeddedOptions, folder: Folder, reserve: Reserve, handle: Handle<B>) -> Self {
        let slot = RwLock::new(Slot::Open(Arc::new(handle)));
        Self { options, folder, reserve, slot, sequence: AtomicU64::new(0) }
    }

    /// Takes note of a durable group.
    pub(crate) fn committed(&self, sequence: u64) {
        self.sequence.store(sequence, Ordering::Release);
    }

    /// Returns the last group that became durable since the store was opened.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// Returns the open handle, or why there is none.
    pub(crate) fn handle(&self) -> Result<Arc<Handle<B>>, StoreError> {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(handle) => handle.trusted().map(|()| Arc::clone(handle)),
            Slot::Broken(error) => Err(error.clone()),
            Slot::Closed => Err(StoreError::Closed),
        }
    }

    /// Puts another handle in place and returns the earlier one.
    pub(crate) fn replace(&self, slot: Slot<B>) -> Slot<B> {
        std::mem::replace(&mut *self.slot.write().unwrap_or_else(PoisonError::into_inner), slot)
    }

    /// Reads with the handle of the moment.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&B) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.handle()?.read(work)
    }
}
