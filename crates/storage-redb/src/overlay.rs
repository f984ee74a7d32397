//! A file that is read only, with what is written to it kept in memory: recovery of a database without changing it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// The memory that changed pages may take. A recovery writes the header and a few pages, however large the file is.
pub const MAX_OVERLAY_BYTES: usize = 16 << 20;
const PAGE_BYTES: usize = 4_096;

#[derive(Debug, Default)]
struct Changes {
    len: u64,
    /// Bytes of the storage beneath from here on are not read: it was cut there, or it ends there.
    beneath_len: u64,
    pages: BTreeMap<u64, Box<[u8]>>,
}

/// A storage beneath, whose bytes stay as they are, and changes over it in memory.
#[derive(Debug)]
pub struct Overlay<B> {
    beneath: B,
    changes: Mutex<Changes>,
    sealed: Arc<AtomicBool>,
}

/// Refuses writes to an [`Overlay`] from when it is closed.
#[derive(Debug)]
pub struct Seal(Arc<AtomicBool>);

impl Seal {
    /// Refuses all further writes.
    pub fn close(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl<B: StorageBackend> Overlay<B> {
    /// Lays memory over a storage, of which nothing but `len`, `read` and `close` will be called.
    ///
    /// # Errors
    /// The length of the storage cannot be read.
    pub fn new(beneath: B) -> io::Result<Self> {
        let len = beneath.len()?;
        let changes = Mutex::new(Changes { len, beneath_len: len, pages: BTreeMap::new() });
        Ok(Self { beneath, changes, sealed: Arc::default() })
    }

    /// Returns what refuses writes from a later moment on.
    #[must_use]
    pub fn seal(&self) -> Seal {
        Seal(Arc::clone(&self.sealed))
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_when_sealed(&self) -> io::Result<()> {
        if self.sealed.load(Ordering::Acquire) {
            Err(io::ErrorKind::ReadOnlyFilesystem.into())
        } else {
            Ok(())
        }
    }

    /// Reads what lies beneath; zeros where there is nothing.
    fn read_beneath(&self, beneath_len: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(beneath_len.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
        let (there, beyond) = out.split_at_mut(there);
        beyond.fill(0);
        if there.is_empty() { Ok(()) } else { self.beneath.read(offset, there) }
    }
}

/// The part of a page that a range of bytes covers: the page, where it begins in it, and how long it is.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let page_bytes = PAGE_BYTES as u64;
    let end = offset + length as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let (page, begin) = (at / page_bytes, at % page_bytes);
        let part = (page_bytes - begin).min(end - at);
        at += part;
        Some((page, usize::try_from(begin).ok()?, usize::try_from(part).ok()?))
    })
}

impl<B: StorageBackend> StorageBackend for Overlay<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > changes.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_beneath(changes.beneath_len, offset, out)?;
        let mut done = 0;
        for (page, begin, length) in parts(offset, out.len()) {
            if let Some(bytes) = changes.pages.get(&page) {
                out[done..done + length].copy_from_slice(&bytes[begin..begin + length]);
            }
            done += length;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refuse_when_sealed()?;
        let mut changes = self.changes();
        if len < changes.len {
            changes.beneath_len = changes.beneath_len.min(len);
            let page_bytes = PAGE_BYTES as u64;
            changes.pages.retain(|page, _| page * page_bytes < len);
            if let Some(bytes) = changes.pages.get_mut(&(len / page_bytes)) {
                bytes[usize::try_from(len % page_bytes).unwrap_or(0)..].fill(0);
            }
        }
        changes.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_when_sealed()?;
        let mut changes = self.changes();
        if offset.checked_add(data.len() as u64).is_none_or(|end| end > changes.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        for (page, begin, length) in parts(offset, data.len()) {
            if !changes.pages.contains_key(&page) {
                if (changes.pages.len() + 1) * PAGE_BYTES > MAX_OVERLAY_BYTES {
                    return Err(io::Error::other(
                        "a look at the database changes more than it may keep in memory",
                    ));
                }
                let mut bytes = vec![0; PAGE_BYTES].into_boxed_slice();
                self.read_beneath(changes.beneath_len, page * PAGE_BYTES as u64, &mut bytes)?;
                changes.pages.insert(page, bytes);
            }
            if let Some(bytes) = changes.pages.get_mut(&page) {
                bytes[begin..begin + length].copy_from_slice(&data[done..done + length]);
            }
            done += length;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.beneath.close()
    }
}
