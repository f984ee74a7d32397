//! Snapshots of sled: what makes opening faster and may be moved aside when it is damaged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use price_cache_domain::StoreError;

use crate::folder::{Folder, sync_folder};

fn snapshots(path: &Path) -> io::Result<Vec<PathBuf>> {
    let items: io::Result<Vec<_>> = fs::read_dir(path)?.collect();
    let is_snapshot =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."));
    Ok(items?.into_iter().map(|item| item.path()).filter(is_snapshot).collect())
}

pub(crate) fn has_snapshots(path: &Path) -> bool {
    snapshots(path).is_ok_and(|snapshots| !snapshots.is_empty())
}

/// A snapshot only makes opening faster: the log has everything.
pub(crate) fn move_snapshots_aside(folder: &Folder, path: &Path, cause: &StoreError) -> io::Result<()> {
    let damaged = folder.make_damaged()?;
    for snapshot in snapshots(path)? {
        if let Some(name) = snapshot.file_name() {
            fs::rename(&snapshot, damaged.join(name))?;
        }
    }
    sync_folder(&damaged)?;
    sync_folder(path)?;
    sync_folder(folder.path())?;
    tracing::error!(
        %cause,
        moved_to = %damaged.display(),
        "a snapshot of the database is damaged and was moved aside; opening from the log"
    );
    Ok(())
}
