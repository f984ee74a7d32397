//! The kinds of stores, which one a folder holds, and how one is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::StoreMaintenance;
use price_cache_storage_embedded::{
    Backend, EmbeddedOptions, EmbeddedStore, Moved, OpenError, move_store, newest_database,
};
use price_cache_storage_redb::RedbDatabase;
use price_cache_storage_sled::SledDatabase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// The embedded database redb 4.
    Redb,
    /// The embedded database sled 0.34.
    Sled,
}

impl StoreKind {
    /// The kind of a new folder.
    pub const DEFAULT: Self = Self::Redb;

    /// Returns the kind of the store in a folder; `None` where there is none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn of_folder(path: &Path) -> Result<Option<Self>, OpenError> {
        let newest = newest_database(path).map_err(|error| OpenError::from_io(path, &error))?;
        let Some(newest) = newest else { return Ok(None) };
        // Where nothing is left of a database, the configuration says what it was.
        Ok(if RedbDatabase::is_in(&newest) {
            Some(Self::Redb)
        } else {
            SledDatabase::is_in(&newest).then_some(Self::Sled)
        })
    }

    /// Returns the kind with a name; `None` where there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Redb, Self::Sled].into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the name of the kind in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redb => RedbDatabase::KIND,
            Self::Sled => SledDatabase::KIND,
        }
    }

    /// Returns the memory for pages that suits the kind, in bytes.
    #[must_use]
    pub const fn cache_bytes(self) -> u64 {
        match self {
            Self::Redb => price_cache_storage_redb::CACHE_BYTES_DEFAULT,
            Self::Sled => price_cache_storage_sled::CACHE_BYTES_DEFAULT,
        }
    }

    /// Returns how long a record of this kind of store waits for others to be made durable with it.
    #[must_use]
    pub const fn sync_interval(self) -> Duration {
        match self {
            Self::Redb => price_cache_storage_redb::SYNC_INTERVAL_DEFAULT,
            // It writes few bytes for each group, so that waiting gains nothing.
            Self::Sled => Duration::ZERO,
        }
    }

    /// Opens the store, or makes it.
    ///
    /// # Errors
    /// It cannot be opened safely; nothing was changed.
    pub fn open(self, options: EmbeddedOptions) -> Result<Arc<dyn StoreMaintenance>, OpenError> {
        Ok(match self {
            Self::Redb => Arc::new(EmbeddedStore::<RedbDatabase>::open(options)?),
            Self::Sled => Arc::new(EmbeddedStore::<SledDatabase>::open(options)?),
        })
    }

    /// Opens the store for reading, without changing a byte of it.
    ///
    /// # Errors
    /// There is none, another process has it open, or it cannot be read.
    pub fn look(self, options: EmbeddedOptions) -> Result<Arc<dyn StoreMaintenance>, OpenError> {
        Ok(match self {
            Self::Redb => Arc::new(EmbeddedStore::<RedbDatabase>::look(options)?),
            Self::Sled => Arc::new(EmbeddedStore::<SledDatabase>::look(options)?),
        })
    }

    /// Moves the store of a folder from this kind to another one. A move within a kind writes the database again.
    ///
    /// # Errors
    /// The store cannot be opened, or there is no space for the new database; the store stays what it was.
    pub fn move_to(
        self,
        to: Self,
        from_options: &EmbeddedOptions,
        to_options: &EmbeddedOptions,
    ) -> Result<Moved, OpenError> {
        match (self, to) {
            (Self::Sled, Self::Redb) => move_store::<SledDatabase, RedbDatabase>(from_options, to_options),
            (Self::Redb, Self::Sled) => move_store::<RedbDatabase, SledDatabase>(from_options, to_options),
            (Self::Redb, Self::Redb) => move_store::<RedbDatabase, RedbDatabase>(from_options, to_options),
            (Self::Sled, Self::Sled) => move_store::<SledDatabase, SledDatabase>(from_options, to_options),
        }
    }
}
