//! What can be set about a store, with its defaults.

use std::path::PathBuf;
use std::time::Duration;

use crate::BackendSettings;

/// Default of [`EmbeddedOptions::reserve_bytes`].
pub const RESERVE_BYTES_DEFAULT: u64 = 8 * 1024 * 1024;
/// Default of [`EmbeddedOptions::group_records_max`].
pub const GROUP_RECORDS_MAX_DEFAULT: usize = 1_024;
/// Default of [`FallbackCopyOptions::bytes_max`].
pub const COPY_BYTES_MAX_DEFAULT: u64 = 1024 * 1024 * 1024;
/// Default of [`FallbackCopyOptions::interval`].
pub const COPY_INTERVAL_DEFAULT: Duration = Duration::from_secs(60 * 60);
/// Writes that may wait for the storage thread. The engine's window of unsynced writes keeps far below it; a caller
/// without such a window gets an error beyond it.
pub const QUEUED_WRITES_MAX: usize = 65_536;

/// Where and how a store keeps its data.
#[derive(Clone)]
pub struct EmbeddedOptions {
    /// The folder; made when there is none.
    pub path: PathBuf,
    /// What the database itself is told.
    pub backend: BackendSettings,
    /// Disk space that is kept back for opening the store on a full disk, in bytes.
    pub reserve_bytes: u64,
    /// The most writes that are made durable together.
    pub group_records_max: usize,
    /// The longest that an entry waits for others to be made durable with it. Zero: not at all.
    pub sync_interval: Duration,
    /// The copy to fall back on.
    pub fallback_copy: FallbackCopyOptions,
}

/// When a copy of all records is made beside the store, and how large it may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FallbackCopyOptions {
    /// Whether it is made at all.
    pub is_on: bool,
    /// The least time between two copies.
    pub interval: Duration,
    /// The largest size of a copy, in bytes.
    pub bytes_max: u64,
}

impl Default for FallbackCopyOptions {
    fn default() -> Self {
        Self { is_on: true, interval: COPY_INTERVAL_DEFAULT, bytes_max: COPY_BYTES_MAX_DEFAULT }
    }
}

impl EmbeddedOptions {
    /// Returns the defaults for a folder and a database with this much memory for its pages, in bytes.
    pub fn new(path: impl Into<PathBuf>, cache_bytes: u64) -> Self {
        Self {
            path: path.into(),
            backend: BackendSettings { cache_bytes, before_commit: None },
            reserve_bytes: RESERVE_BYTES_DEFAULT,
            group_records_max: GROUP_RECORDS_MAX_DEFAULT,
            sync_interval: Duration::ZERO,
            fallback_copy: FallbackCopyOptions::default(),
        }
    }
}
