//! The kinds of stores, which one a folder holds, and how one is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::StoreMaintenance;
use price_cache_storage_embedded::{Backend, EmbeddedOptions, EmbeddedStore, OpenError, newest_database};
use price_cache_storage_sled::SledDatabase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// The embedded database sled 0.34.
    Sled,
}

impl StoreKind {
    /// The kind of a new folder.
    pub const DEFAULT: Self = Self::Sled;

    /// Returns the kind of the store in a folder; `None` where there is none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn of_folder(path: &Path) -> Result<Option<Self>, OpenError> {
        let newest = newest_database(path).map_err(|error| OpenError::from_io(path, &error))?;
        let Some(newest) = newest else { return Ok(None) };
        // Where nothing is left of a database, the configuration says what it was.
        Ok(SledDatabase::is_in(&newest).then_some(Self::Sled))
    }

    /// Returns the name of the kind in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => SledDatabase::KIND,
        }
    }

    /// Returns the memory for pages that suits the kind, in bytes.
    #[must_use]
    pub const fn cache_bytes(self) -> u64 {
        match self {
            Self::Sled => price_cache_storage_sled::CACHE_BYTES_DEFAULT,
        }
    }

    /// Returns how long a record of this kind of store waits for others to be made durable with it.
    #[must_use]
    pub const fn sync_interval(self) -> Duration {
        match self {
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
            Self::Sled => Arc::new(EmbeddedStore::<SledDatabase>::open(options)?),
        })
    }

    /// Opens the store for reading, without changing a byte of it.
    ///
    /// # Errors
    /// There is none, another process has it open, or it cannot be read.
    pub fn look(self, options: EmbeddedOptions) -> Result<Arc<dyn StoreMaintenance>, OpenError> {
        Ok(match self {
            Self::Sled => Arc::new(EmbeddedStore::<SledDatabase>::look(options)?),
        })
    }
}
