//! A file that is read only, with what is written to it kept in memory: recovery of a database without changing it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// The memory that changed pages may take. A recovery writes the header and a few pages, however large the file is.
pub(crate) const MAX_OVERLAY_BYTES: usize = 16 << 20;
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
pub(crate) struct Overlay<B> {
    beneath: B,
    changes: Mutex<Changes>,
    sealed: Arc<AtomicBool>,
}

/// Refuses writes to an [`Overlay`] from when it is closed.
#[derive(Debug)]
pub(crate) struct Seal(Arc<AtomicBool>);

impl Seal {
    /// Refuses all further writes.
    pub(crate) fn close(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl<B: StorageBackend> Overlay<B> {
    /// Lays memory over a storage, of which nothing but `len`, `read` and `close` will be called.
    pub(crate) fn new(beneath: B) -> io::Result<Self> {
        let len = beneath.len()?;
        let changes = Mutex::new(Changes { len, beneath_len: len, pages: BTreeMap::new() });
        Ok(Self { beneath, changes, sealed: Arc::default() })
    }

    /// Returns what refuses writes from a later moment on.
    pub(crate) fn seal(&self) -> Seal {
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

/// Cuts a range of bytes at pages: the page of each part, where the part begins in it, and how long it is.
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fastrand::Rng;
    use redb::backends::InMemoryBackend;

    use super::*;

    fn beneath(bytes: &[u8]) -> InMemoryBackend {
        let storage = InMemoryBackend::new();
        storage.set_len(bytes.len() as u64).unwrap();
        storage.write(0, bytes).unwrap();
        storage
    }

    fn read_all(storage: &impl StorageBackend) -> Vec<u8> {
        let mut bytes = vec![1; usize::try_from(storage.len().unwrap()).unwrap()];
        storage.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_overlay_reads_as_a_file_that_is_written_and_what_lies_beneath_stays() {
        for seed in 0..200 {
            let mut random = Rng::with_seed(seed);
            let original: Vec<u8> = (0..random.usize(0..30_000)).map(|_| random.u8(..)).collect();
            let overlay = Overlay::new(beneath(&original)).unwrap();
            let mut model = original.clone();
            for _ in 0..40 {
                if random.u8(0..4) == 0 {
                    let len = random.usize(0..40_000);
                    overlay.set_len(len as u64).unwrap();
                    model.resize(len, 0);
                } else if !model.is_empty() {
                    let begin = random.usize(0..model.len());
                    let end = random.usize(begin..=model.len());
                    let data = vec![random.u8(..); end - begin];
                    overlay.write(begin as u64, &data).unwrap();
                    model[begin..end].copy_from_slice(&data);
                }
                assert!(read_all(&overlay) == model);
                let (begin, end) = (random.usize(0..=model.len()), random.usize(0..=model.len()));
                let mut part = vec![1; end.saturating_sub(begin)];
                overlay.read(begin as u64, &mut part).unwrap();
                assert!(part == model[begin..begin + part.len()]);
            }
            assert!(overlay.read(model.len() as u64, &mut [0]).is_err());
            assert!(overlay.write(model.len() as u64, &[0]).is_err());
            assert!(read_all(&overlay.beneath) == original);
        }
    }

    #[test]
    fn an_overlay_has_a_limit_and_refuses_writes_once_sealed() {
        let overlay = Overlay::new(beneath(&[])).unwrap();
        overlay.set_len(2 * MAX_OVERLAY_BYTES as u64).unwrap();
        overlay.write(0, &vec![1; MAX_OVERLAY_BYTES]).unwrap();
        assert!(overlay.write(MAX_OVERLAY_BYTES as u64, &[1]).is_err());
        overlay.write(7, &[2]).unwrap();
        overlay.seal().close();
        assert!(overlay.write(7, &[3]).is_err());
        assert!(overlay.set_len(0).is_err());
        let mut byte = [0];
        overlay.read(7, &mut byte).unwrap();
        assert_eq!(byte, [2]);
    }
}
