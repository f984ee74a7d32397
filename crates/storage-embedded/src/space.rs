//! How much space a disk has left, so that nothing is opened that could not be finished.

use std::io;
use std::path::Path;

use price_cache_domain::StoreError;

use crate::error::from_io;
use crate::folder::{Folder, bytes_under};
use crate::reserve::Reserve;
use crate::{Backend, Recovery};

/// Space that opening a database in place may need at most, in bytes.
pub(crate) const OPEN_IN_PLACE_BYTES: u64 = 1024 * 1024;

/// Returns the bytes that this process may still write to the disk of a folder. Quotas are not in it.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Returns an error where there is no room to open the newest generation for writing after it was not closed.
pub(crate) fn make_room_to_open<B: Backend>(folder: &Folder, reserve: &Reserve) -> Result<(), StoreError> {
    let newest = folder.newest().map_err(|error| from_io(&error))?;
    let copied = match B::RECOVERY {
        Recovery::AfterALook => 0,
        Recovery::OnACopy => newest.map_or(0, |newest| bytes_under(&folder.generation(newest))),
    };
    make_room(folder.path(), reserve, copied.saturating_add(OPEN_IN_PLACE_BYTES))
}

/// Returns an error where `needed` bytes cannot be written to a folder. The reserve counts as free space and is released if
/// it is needed and enough. Where there is an error, nothing is changed.
pub(crate) fn make_room(folder: &Path, reserve: &Reserve, needed: u64) -> Result<(), StoreError> {
    let free = free_bytes(folder).map_err(|error| from_io(&error))?;
    if free >= needed {
        return Ok(());
    }
    let with_reserve = free.saturating_add(reserve.held_bytes());
    if with_reserve < needed {
        let kib = |bytes: u64| bytes.div_ceil(1024);
        return Err(StoreError::Full(format!(
            "opening the store needs {} KiB and {} KiB are free",
            kib(needed),
            kib(free)
        )));
    }
    reserve.release();
    Ok(())
}
