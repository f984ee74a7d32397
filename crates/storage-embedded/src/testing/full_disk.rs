//! A disk that runs full, on a small file system in memory where the machine allows one.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Backend, EmbeddedOptions, EmbeddedStore};
use price_cache_domain::{Run, Store, StoreError};
use price_cache_testkit::block_on;
use tempfile::TempDir;

use super::sample::{all_numbers, id, one, options, priced, us};

/// A small file system, unmounted at the end.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where nothing may be mounted.
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        let mut error = std::io::stderr().lock();
        writeln!(error, "left out: a full disk, as nothing may be mounted here").unwrap();
        None
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Leaves no space.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).unwrap();
        for block in [64 * 1024, 4_096] {
            while file.write_all(&vec![1; block]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn open<B: Backend>(path: &Path) -> EmbeddedStore<B> {
    EmbeddedStore::<B>::open(EmbeddedOptions { reserve_bytes: 2 * 1024 * 1024, ..options(path) }).unwrap()
}

/// Writes numbers until one fails; gives how many did not, and why the one did.
fn write_until_failure<B: Backend>(store: &EmbeddedStore<B>, from: u32) -> (u32, StoreError) {
    for number in from.. {
        if let Err(error) = block_on(store.record(&us(), &id(number), priced(number))) {
            return (number, error);
        }
    }
    unreachable!("a disk has an end")
}

/// Tries until the store has taken up its work again.
fn write_when_possible<B: Backend>(store: &EmbeddedStore<B>, number: u32) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = block_on(store.record(&us(), &id(number), priced(number))) {
        assert!(Instant::now() < deadline, "still {error}");
        // The store waits a little between its own tries; there is no event for their end.
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn expect_numbers<B: Backend>(store: &EmbeddedStore<B>, below: u32) {
    let found = all_numbers(store);
    // The write that failed may be there, whole.
    let acknowledged: Vec<u32> = found.iter().copied().filter(|number| *number < below).collect();
    assert_eq!(acknowledged, (0..below).collect::<Vec<_>>());
}

/// See the name.
pub fn a_full_disk_loses_nothing_and_work_goes_on_when_there_is_space<B: Backend>() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = open::<B>(&disk.store());
    for number in 0..1_000 {
        block_on(store.record(&us(), &id(number), priced(number))).unwrap();
    }
    disk.fill();
    let (written, error) = write_until_failure(&store, 1_000);
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    // What is left is the reserve, which is for opening: writes fail, reads go on.
    let refused = block_on(store.record(&us(), &id(written), priced(written)));
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    expect_numbers(&store, written);
    drop(store);
    // It can be opened on the full disk, to read.
    let store = open::<B>(&disk.store());
    expect_numbers(&store, written);
    assert!(matches!(block_on(store.save_run(Run::new())), Err(StoreError::Full(_))));
    disk.free();
    write_when_possible(&store, written);
    assert_eq!(one(&store, written), Some(priced(written)));
    expect_numbers(&store, written + 1);
    drop(store);
    expect_numbers(&open::<B>(&disk.store()), written + 1);
}

/// See the name.
pub fn a_reset_works_on_a_full_disk_and_frees_it<B: Backend>() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = open::<B>(&disk.store());
    // Many at a time, until the disk is full of them.
    let mut result = Ok(());
    let mut first = 0;
    while result.is_ok() {
        let writes: Vec<_> =
            (first..first + 500).map(|number| store.record(&us(), &id(number), priced(number))).collect();
        result = writes.into_iter().try_for_each(block_on);
        first += 500;
    }
    assert!(matches!(result, Err(StoreError::Full(_))) && first > 10_000, "{first} {result:?}");
    block_on(store.clear(Run::new(), false)).unwrap();
    assert_eq!(all_numbers(&store), [] as [u32; 0]);
    write_when_possible(&store, 7);
    assert_eq!(one(&store, 7), Some(priced(7)));
}
