//! The folder of a store: its lock, its generations of the database, and what is moved aside.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;

const GENERATION: &str = "generation-";
const DAMAGED: &str = "damaged-";
const SET_ASIDE: &str = "set-aside-";
/// Ends the name of what is not complete; deleted when found.
const MAKING: &str = ".making";

/// The folder, locked against other processes as long as this lives.
pub(crate) struct Folder {
    path: PathBuf,
    /// Held, not read: closing it gives the folder free.
    _lock: File,
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a folder and those above it where there are none. Each name is durable only once the folder that has it is.
fn make_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return Ok(()),
    };
    make_durably(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(above),
    }
}

impl Folder {
    /// Makes the folder where there is none and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |error: io::Error| OpenError::from_io(path, &error);
        make_durably(path).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn generation(&self, number: u64) -> PathBuf {
        self.path.join(format!("{GENERATION}{number:06}"))
    }

    /// Where a generation is prepared before it is renamed to its name.
    pub(crate) fn generation_making(&self, number: u64) -> PathBuf {
        self.path.join(format!("{GENERATION}{number:06}{MAKING}"))
    }

    /// The newest complete generation.
    pub(crate) fn newest(&self) -> io::Result<Option<u64>> {
        let mut newest = None;
        for item in fs::read_dir(&self.path)? {
            newest = newest.max(number_of(&item?.file_name().to_string_lossy()));
        }
        Ok(newest)
    }

    /// Deletes every generation but `keep`, also incomplete ones. What cannot be deleted now is deleted
    /// when the store is opened the next time.
    pub(crate) fn delete_generations_except(&self, keep: u64) {
        let Ok(items) = fs::read_dir(&self.path) else { return };
        for item in items.flatten() {
            let name = item.file_name();
            let name = name.to_string_lossy();
            let is_old = number_of(&name).is_some_and(|number| number != keep);
            let is_incomplete = name.starts_with(GENERATION) && name.ends_with(MAKING);
            if (is_old || is_incomplete)
                && let Err(error) = fs::remove_dir_all(item.path())
            {
                tracing::warn!(path = %item.path().display(), %error, "an old generation could not be deleted");
            }
        }
    }

    /// Makes the next free folder for damaged files.
    pub(crate) fn make_damaged(&self) -> io::Result<PathBuf> {
        let mut number = 1_u64;
        loop {
            let path = self.path.join(format!("{DAMAGED}{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the next free file for records that are set aside.
    pub(crate) fn make_set_aside(&self) -> io::Result<PathBuf> {
        let mut number = 1_u64;
        loop {
            let path = self.path.join(format!("{SET_ASIDE}{number}.jsonl"));
            match File::create_new(&path) {
                Ok(_) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix(GENERATION)?.parse().ok()
}

/// The bytes of all files under a folder; files that vanish meanwhile count nothing.
pub(crate) fn bytes_under(path: &Path) -> u64 {
    let Ok(items) = fs::read_dir(path) else { return 0 };
    let sizes = items.flatten().map(|item| match item.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_under(&item.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
