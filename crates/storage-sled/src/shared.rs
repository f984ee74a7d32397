//! What the store's threads share: the folder and the handle of the moment.

use std::sync::{Arc, PoisonError, RwLock};

use price_cache_domain::StoreError;

use crate::SledOptions;
use crate::database::Database;
use crate::folder::Folder;
use crate::reserve::Reserve;

/// The handle of the moment.
pub(crate) enum Slot {
    Open(Arc<Database>),
    /// It failed and is being replaced.
    Broken(StoreError),
    /// The store is closed for good.
    Closed,
}

pub(crate) struct Shared {
    pub(crate) options: SledOptions,
    pub(crate) folder: Folder,
    pub(crate) reserve: Reserve,
    slot: RwLock<Slot>,
}

impl Shared {
    pub(crate) fn new(options: SledOptions, folder: Folder, reserve: Reserve, database: Database) -> Self {
        Self { options, folder, reserve, slot: RwLock::new(Slot::Open(Arc::new(database))) }
    }

    /// The open handle, or why there is none.
    pub(crate) fn database(&self) -> Result<Arc<Database>, StoreError> {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(database) => database.trusted().map(|()| Arc::clone(database)),
            Slot::Broken(error) => Err(error.clone()),
            Slot::Closed => Err(StoreError::Closed),
        }
    }

    /// Puts another handle in place and gives the earlier one.
    pub(crate) fn replace(&self, slot: Slot) -> Slot {
        std::mem::replace(&mut *self.slot.write().unwrap_or_else(PoisonError::into_inner), slot)
    }

    /// Reads with the handle of the moment.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database()?.read(work)
    }
}
