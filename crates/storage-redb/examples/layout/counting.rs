//! A storage that counts what reaches it.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;
use redb::backends::FileBackend;

#[derive(Debug, Default)]
struct Inner {
    bytes: AtomicUsize,
    pages: AtomicUsize,
    syncs: AtomicUsize,
    dirty: Mutex<HashSet<u64>>,
}

/// What was counted since the last reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Inner>);

impl Counts {
    pub(crate) fn reset(&self) {
        for counter in [&self.0.bytes, &self.0.pages, &self.0.syncs] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Distinct pages of 4 KiB written between two syncs, summed up: what a disk has to write.
    pub(crate) fn pages(&self) -> usize {
        self.0.pages.load(Ordering::Relaxed)
    }

    pub(crate) fn syncs(&self) -> usize {
        self.0.syncs.load(Ordering::Relaxed)
    }
}

/// A file that counts.
#[derive(Debug)]
pub(crate) struct Counting {
    file: FileBackend,
    counts: Counts,
}

impl Counting {
    pub(crate) fn open(path: &Path, counts: Counts) -> Self {
        let file = std::fs::File::options().read(true).write(true).create_new(true).open(path).unwrap();
        Self { file: FileBackend::new(file).unwrap(), counts }
    }
}

impl StorageBackend for Counting {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.counts.0.syncs.fetch_add(1, Ordering::Relaxed);
        let mut dirty = self.counts.0.dirty.lock().unwrap();
        self.counts.0.pages.fetch_add(dirty.len(), Ordering::Relaxed);
        dirty.clear();
        drop(dirty);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.counts.0.bytes.fetch_add(data.len(), Ordering::Relaxed);
        let mut dirty = self.counts.0.dirty.lock().unwrap();
        dirty.extend(offset / 4_096..(offset + data.len() as u64).div_ceil(4_096));
        drop(dirty);
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}
