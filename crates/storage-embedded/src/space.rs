//! How much space a disk has left, so that nothing is opened that could not be finished.

use std::io;
use std::path::Path;

/// Space that opening a database in place may need at most, in bytes.
pub(crate) const OPEN_IN_PLACE_BYTES: u64 = 1024 * 1024;

/// Returns the bytes that this process may still write to the disk of a folder. Quotas are not in it.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
