//! Space that is kept back for opening the store on a full disk. Making it is also the probe that tells
//! when there is space again, before the database is written to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// How many bytes are written at once.
const BLOCK_BYTES: usize = 64 * 1024;

pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    pub(crate) fn new(folder: &std::path::Path, bytes: u64) -> Self {
        Self { path: folder.join("reserve"), bytes }
    }

    /// Gives the space free. No reserve is no error.
    pub(crate) fn release(&self) {
        match fs::remove_file(&self.path) {
            Ok(()) => tracing::warn!("the disk is full: the reserve was given free to open the store"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(%error, "the reserve could not be given free"),
        }
    }

    /// Returns the bytes that giving it free would bring.
    pub(crate) fn held_bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Makes the reserve where there is none. Succeeds only when there is as much space again beside it,
    /// so that a disk which is almost full does not fail the next write.
    pub(crate) fn ensure(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() >= self.bytes) {
            return Ok(());
        }
        let making = self.path.with_extension("making");
        let made = self.fill(&making).and_then(|()| fs::rename(&making, &self.path));
        if made.is_err() {
            // Best effort: what is left is overwritten by the next try.
            let _ = fs::remove_file(&making);
        }
        made
    }

    fn fill(&self, making: &std::path::Path) -> io::Result<()> {
        let mut file = File::create(making)?;
        let mut left = self.bytes.saturating_mul(2);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut block = vec![0_u8; BLOCK_BYTES];
        while left > 0 {
            // Noise, because file systems that compress would keep no space for zeros.
            for word in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            let count = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            file.write_all(&block[..count])?;
            left -= u64::try_from(count).unwrap_or(left);
        }
        file.sync_all()?;
        file.set_len(self.bytes)?;
        file.sync_all()
    }
}
