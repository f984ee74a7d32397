//! What goes wrong when a store is opened, and how errors of files become errors of the store.

use std::io;
use std::path::{Path, PathBuf};

use price_cache_domain::StoreError;

/// Why a store could not be opened. Nothing that was in the folder is lost or changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has the folder.
    #[error(
        "{} is in use by another price-cache process: stop that one, or choose another folder",
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no such folder, or no store in it.
    #[error("there is no store in {}", path.display())]
    Absent {
        /// The folder.
        path: PathBuf,
    },
    /// The newest database in the folder is of another kind.
    #[error("the database in {} is no {expected} database", path.display())]
    OtherKind {
        /// The folder.
        path: PathBuf,
        /// The kind that was expected.
        expected: &'static str,
    },
    /// The data cannot be read.
    #[error("the data in {} is damaged ({reason}): restore a backup, or move the folder away to start again", path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer version of this program wrote the data.
    #[error(
        "the data in {} has format {found}, this version reads up to {supported}: upgrade the program",
        path.display()
    )]
    NewerFormat {
        /// The folder.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format this program reads.
        supported: u32,
    },
    /// There is no space to open it safely.
    #[error("the disk that holds {} is full: {reason}; free some space", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// How much space is missing for what, or what the file system said.
        reason: String,
    },
    /// Anything else that the file system refused.
    #[error("cannot open the store in {}: {reason}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        reason: String,
    },
}

impl OpenError {
    /// Names the folder of an error.
    #[must_use]
    pub fn from_store(path: &Path, error: StoreError) -> Self {
        let path = path.to_owned();
        match error {
            StoreError::Full(reason) => Self::Full { path, reason },
            StoreError::Io(reason) => Self::Io { path, reason },
            StoreError::Damaged(reason) => Self::Damaged { path, reason },
            StoreError::NewerFormat { found, supported } => Self::NewerFormat { path, found, supported },
            StoreError::Closed => Self::Io { path, reason: error.to_string() },
        }
    }

    /// Names the folder of an error of a file.
    #[must_use]
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        Self::from_store(path, from_io(error))
    }

    /// The same, for those who have an open store already.
    pub(crate) fn into_store(self) -> StoreError {
        let sentence = self.to_string();
        match self {
            Self::Full { .. } => StoreError::Full(sentence),
            Self::Damaged { .. } => StoreError::Damaged(sentence),
            Self::NewerFormat { found, supported, .. } => StoreError::NewerFormat { found, supported },
            Self::InUse { .. } | Self::Absent { .. } | Self::OtherKind { .. } | Self::Io { .. } => {
                StoreError::Io(sentence)
            }
        }
    }
}

/// Returns the error of a store for one of a file.
#[must_use]
pub fn from_io(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}
