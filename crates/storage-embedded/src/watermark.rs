//! The file that knows, from outside the database, how far the database had come and whether it was closed: it makes a
//! database visible whose newest writes were cut off.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::folder::sync_folder;

const NAME: &str = "watermark";
const VERSION: u8 = 1;
/// Version, generation, sequence, closed, checksum. Far below a sector, so that a write of it is never torn.
const BYTES: usize = 1 + 8 + 8 + 1 + 4;

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The generation that it is about.
    pub(crate) generation: u64,
    /// The sequence number of a group that was durable in it.
    pub(crate) sequence: u64,
    /// Whether the generation was closed after that group.
    pub(crate) is_closed: bool,
}

impl Mark {
    fn encode(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.generation.to_le_bytes());
        bytes[9..17].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[17] = u8::from(self.is_closed);
        let checksum = crc32fast::hash(&bytes[..18]);
        bytes[18..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*checksum) != crc32fast::hash(content) {
            return None;
        }
        let (version, content) = content.split_first()?;
        let (generation, content) = content.split_first_chunk::<8>()?;
        let (sequence, closed) = content.split_first_chunk::<8>()?;
        (*version == VERSION).then_some(Self {
            generation: u64::from_le_bytes(*generation),
            sequence: u64::from_le_bytes(*sequence),
            is_closed: closed == [1],
        })
    }
}

/// Returns what the file in a folder says about a generation; `None` where there is none, it cannot be read, or it is about
/// another generation: then nothing is known.
pub(crate) fn read(folder: &Path, generation: u64) -> Option<Mark> {
    let mark = Mark::decode(&std::fs::read(folder.join(NAME)).ok()?)?;
    (mark.generation == generation).then_some(mark)
}

/// The file, open for writing.
pub(crate) struct Watermark {
    file: File,
    generation: u64,
}

impl Watermark {
    /// Opens the file and says, durably, that the generation is open.
    pub(crate) fn open(folder: &Path, generation: u64, sequence: u64) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(folder.join(NAME))?;
        let watermark = Self { file, generation };
        watermark.write(sequence, false)?;
        watermark.file.sync_all()?;
        sync_folder(folder)?;
        Ok(watermark)
    }

    /// Takes note of a durable group. Not synced: after a power loss the file may be behind, never ahead.
    pub(crate) fn advance(&self, sequence: u64) {
        if let Err(error) = self.write(sequence, false) {
            tracing::debug!(%error, "the watermark was not written");
        }
    }

    /// Says, durably, that the generation was closed after this group.
    pub(crate) fn close(&self, sequence: u64) -> io::Result<()> {
        self.write(sequence, true)?;
        self.file.sync_all()
    }

    fn write(&self, sequence: u64, is_closed: bool) -> io::Result<()> {
        let mark = Mark { generation: self.generation, sequence, is_closed };
        self.file.write_all_at(&mark.encode(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_and_a_damaged_one_says_nothing() {
        let mark = Mark { generation: 3, sequence: 1 << 40, is_closed: true };
        let bytes = mark.encode();
        assert_eq!(Mark::decode(&bytes), Some(mark));
        for position in 0..BYTES {
            let mut damaged = bytes;
            damaged[position] ^= 4;
            assert_eq!(Mark::decode(&damaged), None, "byte {position}");
            assert_eq!(Mark::decode(&bytes[..position]), None, "{position} bytes");
        }
    }
}
