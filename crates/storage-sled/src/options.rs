//! What can be set about the store, with its defaults.

use std::path::PathBuf;

/// Default of [`SledOptions::cache_bytes`]. Sled counts what a page takes in the log, not in memory: with
/// 64 MiB here, writing a million entries takes 245 MB of memory, with 8 MiB 65 MB at the same speed. Reading
/// them all after a kill takes 4 MB more for each MiB here, and is no faster.
pub const CACHE_BYTES_DEFAULT: u64 = 4 * 1024 * 1024;
/// Default of [`SledOptions::reserve_bytes`].
pub const RESERVE_BYTES_DEFAULT: u64 = 8 * 1024 * 1024;
/// Default of [`SledOptions::group_records_max`].
pub const GROUP_RECORDS_MAX_DEFAULT: usize = 1_024;
/// Writes that may wait for the storage thread. The engine's window of undurable products keeps far
/// below it; a caller without such a window gets an error beyond it.
pub const QUEUED_WRITES_MAX: usize = 65_536;

/// Where and how the store keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SledOptions {
    /// The folder; made when there is none.
    pub path: PathBuf,
    /// Memory for pages in use, in bytes as they are on the disk. In memory expect about four times as much.
    pub cache_bytes: u64,
    /// Disk space that is kept back for opening the store on a full disk, in bytes.
    pub reserve_bytes: u64,
    /// The most writes that are made durable with one sync.
    pub group_records_max: usize,
}

impl SledOptions {
    /// The defaults for a folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            cache_bytes: CACHE_BYTES_DEFAULT,
            reserve_bytes: RESERVE_BYTES_DEFAULT,
            group_records_max: GROUP_RECORDS_MAX_DEFAULT,
        }
    }
}
