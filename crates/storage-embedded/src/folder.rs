//! The folder of a store: its lock, its generations of the database, and what is set aside.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::OpenError;

const GENERATION: &str = "generation-";
const DAMAGED: &str = "damaged-";
const SET_ASIDE: &str = "set-aside-";
/// How many damaged generations are kept; beyond it the oldest goes.
const DAMAGED_MAX: usize = 8;
/// How long a lock may be held by somebody who is about to let go: a process that ends, or one that was just started by the
/// holder and has the lock until its own program begins.
const LOCK_WAIT_MAX: Duration = Duration::from_millis(250);
/// The wait between two tries.
const LOCK_RETRY: Duration = Duration::from_millis(5);
/// Ends the name of what is not complete; deleted when found.
const MAKING: &str = ".making";

/// The folder, locked against other processes as long as this lives.
pub(crate) struct Folder {
    path: PathBuf,
    /// Held, not read: closing it gives the folder free. Absent where a look found no lock and made none.
    _lock: Option<File>,
}

/// Makes the names in a folder durable.
///
/// # Errors
/// The folder cannot be synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the files and names of a folder durable, and those of the folders in it.
pub(crate) fn sync_everything_in(path: &Path) -> io::Result<()> {
    for item in fs::read_dir(path)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            sync_everything_in(&item.path())?;
        } else {
            File::open(item.path())?.sync_all()?;
        }
    }
    sync_folder(path)
}

/// Copies a folder with the files and folders in it.
///
/// # Errors
/// Something cannot be read or written; what was copied so far stays.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy_folder(&item.path(), &target)?;
        } else {
            fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}

/// Deletes a folder with all that is in it; none is no error.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
        Self::locked(path, Some(lock))
    }

    /// Locks the folder without writing to it.
    pub(crate) fn look(path: &Path) -> Result<Self, OpenError> {
        if !path.is_dir() {
            return Err(OpenError::Absent { path: path.to_owned() });
        }
        match File::open(path.join("lock")) {
            Ok(lock) => Self::locked(path, Some(lock)),
            // Every store that was ever opened has one; without it there is nobody to wait for.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::locked(path, None),
            Err(error) => Err(OpenError::from_io(path, &error)),
        }
    }

    fn locked(path: &Path, lock: Option<File>) -> Result<Self, OpenError> {
        let deadline = Instant::now() + LOCK_WAIT_MAX;
        loop {
            match lock.as_ref().map_or(Ok(()), File::try_lock) {
                Ok(()) => return Ok(Self { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_RETRY),
                Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.to_owned() }),
                Err(TryLockError::Error(error)) => return Err(OpenError::from_io(path, &error)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn generation(&self, number: u64) -> PathBuf {
        self.path.join(generation_name(number))
    }

    /// Returns where a generation is prepared before it is renamed to its name.
    pub(crate) fn generation_making(&self, number: u64) -> PathBuf {
        self.path.join(format!("{}{MAKING}", generation_name(number)))
    }

    /// Returns the newest complete generation.
    pub(crate) fn newest(&self) -> io::Result<Option<u64>> {
        newest_generation(&self.path)
    }

    /// Gives a prepared generation its name; from now on it is the newest one. Durable when it returns.
    pub(crate) fn complete(&self, number: u64) -> io::Result<()> {
        let making = self.generation_making(number);
        sync_everything_in(&making)?;
        fs::rename(&making, self.generation(number))?;
        sync_folder(&self.path)
    }

    /// Deletes every generation but `keep`, also incomplete ones; those that are to be kept as damaged are moved aside.
    /// What cannot be deleted now is deleted when the store is opened the next time.
    pub(crate) fn delete_generations_except(&self, keep: u64) {
        let Ok(items) = fs::read_dir(&self.path) else { return };
        for item in items.flatten() {
            let name = item.file_name();
            let name = name.to_string_lossy();
            let is_old = number_of(&name).is_some_and(|number| number != keep);
            let is_incomplete = name.starts_with(GENERATION) && name.ends_with(MAKING);
            let removed = match self.damaged_folder_of(&name) {
                Some(damaged) if is_old => fs::rename(item.path(), damaged.join(&*name)),
                _ if is_old || is_incomplete => fs::remove_dir_all(item.path()),
                _ => Ok(()),
            };
            if let Err(error) = removed {
                tracing::warn!(path = %item.path().display(), %error, "an old generation could not be deleted");
            }
        }
    }

    /// Has a generation moved aside, instead of deleted, once it is not the newest any more. Returns where to.
    pub(crate) fn keep_as_damaged(&self, number: u64) -> io::Result<PathBuf> {
        let name = generation_name(number);
        if let Some(known) = self.damaged_folder_of(&name) {
            return Ok(known);
        }
        self.delete_oldest_damaged();
        let (folder, _) = self.next_free(DAMAGED, "", |path| fs::create_dir(path))?;
        File::create_new(folder.join(marker_of(&name)))?.sync_all()?;
        sync_folder(&folder)?;
        sync_folder(&self.path)?;
        Ok(folder)
    }

    /// Makes room for another damaged generation: a disk that damages one after another must not be filled with them.
    fn delete_oldest_damaged(&self) {
        let Ok(items) = fs::read_dir(&self.path) else { return };
        let number_of = |name: &str| name.strip_prefix(DAMAGED)?.parse::<u64>().ok();
        let mut damaged: Vec<_> = items
            .flatten()
            .filter_map(|item| Some((number_of(&item.file_name().to_string_lossy())?, item.path())))
            .collect();
        damaged.sort();
        let too_many = damaged.len().saturating_sub(DAMAGED_MAX - 1);
        for (_, path) in damaged.into_iter().take(too_many) {
            tracing::warn!(path = %path.display(), "the oldest damaged files are deleted");
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(path = %path.display(), %error, "they could not be deleted");
            }
        }
    }

    /// Returns the folder that waits for a generation of this name.
    fn damaged_folder_of(&self, generation: &str) -> Option<PathBuf> {
        let items = fs::read_dir(&self.path).ok()?;
        let mut damaged =
            items.flatten().filter(|item| item.file_name().to_string_lossy().starts_with(DAMAGED));
        damaged.find(|item| item.path().join(marker_of(generation)).exists()).map(|item| item.path())
    }

    /// Makes the next free file for records that are set aside.
    pub(crate) fn make_set_aside(&self) -> io::Result<PathBuf> {
        let (path, _) = self.next_free(SET_ASIDE, ".jsonl", |path| File::create_new(path))?;
        Ok(path)
    }

    fn next_free<T>(
        &self,
        prefix: &str,
        suffix: &str,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<(PathBuf, T)> {
        // After the highest number there is, so that numbers tell the order.
        let names = fs::read_dir(&self.path)?.flatten().map(|item| item.file_name());
        let number_of = |name: &str| name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse::<u64>().ok();
        let highest = names.filter_map(|name| number_of(&name.to_string_lossy())).max();
        let number = highest.unwrap_or(0) + 1;
        let path = self.path.join(format!("{prefix}{number}{suffix}"));
        let made = make(&path)?;
        Ok((path, made))
    }
}

fn generation_name(number: u64) -> String {
    format!("{GENERATION}{number:06}")
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix(GENERATION)?.parse().ok()
}

/// Returns the name of the file that says which generation a folder of damaged files waits for.
fn marker_of(generation: &str) -> String {
    format!("of-{generation}")
}

fn newest_generation(path: &Path) -> io::Result<Option<u64>> {
    let mut newest = None;
    for item in fs::read_dir(path)? {
        newest = newest.max(number_of(&item?.file_name().to_string_lossy()));
    }
    Ok(newest)
}

/// Returns the folder of the newest database in the folder of a store; `None` where there is none yet.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn newest_database(path: &Path) -> io::Result<Option<PathBuf>> {
    match newest_generation(path) {
        Ok(newest) => Ok(newest.map(|number| path.join(generation_name(number)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the bytes of all files under a folder; files that vanish meanwhile count nothing.
pub(crate) fn bytes_under(path: &Path) -> u64 {
    let Ok(items) = fs::read_dir(path) else { return 0 };
    let sizes = items.flatten().map(|item| match item.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_under(&item.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
