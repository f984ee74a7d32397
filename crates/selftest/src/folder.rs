//! The folder of a self-test: gone in the end, whatever happens, unless it is to be kept.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

/// A process that was killed a moment ago may still make a file.
const REMOVALS_MAX: u32 = 20;
const REMOVAL_INTERVAL: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("price-cache-selftest-").tempdir()?;
        Ok(Self { path: folder.keep(), is_kept: false })
    }

    /// One that had been kept.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, is_kept: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for _ in 0..REMOVALS_MAX {
            if fs::remove_dir_all(&self.path).is_ok() || !self.path.exists() {
                return;
            }
            thread::sleep(REMOVAL_INTERVAL);
        }
    }
}
