//! The copy to fall back on: all records of a store in one file beside it, packed and with checksums, written as a stream
//! and put in place of the one before once it is durable.
//!
//! A file is a header (magic, time, sequence, checksum), blocks (length, packed length, checksum, records packed with
//! deflate) and an end (an empty block, number of entries, digest, checksum). A damaged block costs its own records only.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use price_cache_domain::{FallbackCopy, Timestamp};

use crate::Table;
use crate::folder::sync_folder;
use crate::totals::Totals;

const NAME: &str = "fallback-copy";
const MAGIC: [u8; 8] = *b"PCCOPY1\n";
const HEADER_BYTES: usize = 8 + 8 + 8 + 4;
const END_BYTES: usize = 12 + 8 + 8 + 4;
/// The size of a block before it is packed, about, in bytes.
const BLOCK_BYTES: usize = 256 * 1024;
/// No block is larger: a length beyond it is damage. A record is a few kilobytes at most, a large run some megabytes.
const BLOCK_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What the header of a copy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) made_at: Timestamp,
    /// The last group of the store that is in it.
    pub(crate) sequence: u64,
}

fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

fn has_checksum(bytes: &[u8]) -> bool {
    bytes
        .split_last_chunk::<4>()
        .is_some_and(|(content, sum)| crc32fast::hash(content) == u32::from_le_bytes(*sum))
}

/// Deletes the copy; none is no error.
pub(crate) fn delete(folder: &Path) -> io::Result<()> {
    match fs::remove_file(path(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_folder(folder),
    }
}

/// Writes a copy. Dropped before [`finish`](Self::finish), it leaves the one before as it was.
pub(crate) struct CopyWriter {
    folder: PathBuf,
    making: PathBuf,
    file: BufWriter<File>,
    block: Vec<u8>,
    bytes: u64,
    is_finished: bool,
}

impl CopyWriter {
    /// Begins a copy beside the present one.
    pub(crate) fn begin(folder: &Path, header: Header) -> io::Result<Self> {
        let making = path(folder).with_extension("making");
        let mut file = BufWriter::new(File::create(&making)?);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&header.made_at.as_millis().to_le_bytes());
        bytes.extend_from_slice(&header.sequence.to_le_bytes());
        file.write_all(&with_checksum(bytes))?;
        let folder = folder.to_owned();
        Ok(Self { folder, making, file, block: Vec::new(), bytes: HEADER_BYTES as u64, is_finished: false })
    }

    /// Adds a record and returns how many bytes the file has so far.
    pub(crate) fn push(&mut self, table: Table, key: &[u8], value: &[u8]) -> io::Result<u64> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| invalid("a record is too large"));
        self.block.push(code_of(table));
        self.block.extend_from_slice(&length(key)?.to_le_bytes());
        self.block.extend_from_slice(&length(value)?.to_le_bytes());
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(value);
        if self.block.len() >= BLOCK_BYTES {
            self.write_block()?;
        }
        Ok(self.bytes)
    }

    fn write_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&self.block)?;
        let packed = packed.finish()?;
        for number in [self.block.len(), packed.len()] {
            let number = u32::try_from(number).map_err(|_| invalid("a block is too large"))?;
            self.file.write_all(&number.to_le_bytes())?;
        }
        self.file.write_all(&crc32fast::hash(&packed).to_le_bytes())?;
        self.file.write_all(&packed)?;
        self.bytes += 12 + packed.len() as u64;
        self.block.clear();
        Ok(())
    }

    /// Ends the copy and puts it in place of the one before, and returns its size in bytes. Durable when it returns. `None`
    /// where it is larger than `bytes_max`.
    pub(crate) fn finish(mut self, totals: Totals, bytes_max: u64) -> io::Result<Option<u64>> {
        self.write_block()?;
        let bytes = self.bytes + END_BYTES as u64;
        if bytes > bytes_max {
            return Ok(None);
        }
        let mut end = vec![0; 12];
        end.extend_from_slice(&totals.entries.to_le_bytes());
        end.extend_from_slice(&totals.digest.to_le_bytes());
        self.file.write_all(&with_checksum(end))?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.making, path(&self.folder))?;
        self.is_finished = true;
        sync_folder(&self.folder)?;
        Ok(Some(bytes))
    }
}

impl Drop for CopyWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            // Best effort: what is left is overwritten by the next copy.
            let _ = fs::remove_file(&self.making);
        }
    }
}

/// Returns what the header of the present copy says; `None` where there is none that can be used.
pub(crate) fn header(folder: &Path) -> Option<Header> {
    CopyReader::open(folder).ok().flatten().map(|reader| reader.header)
}

/// Describes the copy to fall back on in the folder of a store; `None` where there is none that can be used.
#[must_use]
pub fn fallback_copy_in(folder: &Path) -> Option<FallbackCopy> {
    let header = header(folder)?;
    let mut file = File::open(path(folder)).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut end = [0; END_BYTES];
    file.seek(SeekFrom::End(-(END_BYTES as i64))).ok()?;
    file.read_exact(&mut end).ok()?;
    has_checksum(&end).then(|| FallbackCopy { made_at: header.made_at, entries: u64_at(&end, 12), bytes })
}

/// Reads a copy.
pub(crate) struct CopyReader {
    file: BufReader<File>,
    pub(crate) header: Header,
}

/// How much of a copy could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CopyRead {
    pub(crate) records: u64,
    pub(crate) damaged_blocks: u64,
    /// The end was reached: nothing is cut off.
    pub(crate) is_whole: bool,
}

impl CopyReader {
    /// Opens the present copy; `None` where there is none.
    pub(crate) fn open(folder: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path(folder)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut file = BufReader::new(file);
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact(&mut bytes)?;
        if bytes[..8] != MAGIC || !has_checksum(&bytes) {
            return Err(invalid("the header of the copy is damaged"));
        }
        let made_at = Timestamp::from_millis(u64_at(&bytes, 8).cast_signed());
        Ok(Some(Self { file, header: Header { made_at, sequence: u64_at(&bytes, 16) } }))
    }

    /// Visits every record that can be read.
    pub(crate) fn read<E>(
        mut self,
        mut visit: impl FnMut(Table, &[u8], &[u8]) -> Result<(), E>,
    ) -> Result<CopyRead, E> {
        let mut read = CopyRead::default();
        loop {
            let mut head = [0; 12];
            if self.file.read_exact(&mut head).is_err() {
                return Ok(read);
            }
            let (length, packed) = (u32_at(&head, 0) as usize, u32_at(&head, 4) as usize);
            if length == 0 {
                read.is_whole = true;
                return Ok(read);
            }
            if length > BLOCK_BYTES_MAX || packed > BLOCK_BYTES_MAX {
                return Ok(read);
            }
            let mut bytes = vec![0; packed];
            if self.file.read_exact(&mut bytes).is_err() {
                return Ok(read);
            }
            match unpacked(&bytes, length, u32_at(&head, 8)) {
                Some(block) => read.records += records(&block, &mut visit)?,
                None => read.damaged_blocks += 1,
            }
        }
    }
}

fn unpacked(packed: &[u8], length: usize, checksum: u32) -> Option<Vec<u8>> {
    if crc32fast::hash(packed) != checksum {
        return None;
    }
    let mut block = Vec::with_capacity(length.min(BLOCK_BYTES * 2));
    let limit = u64::try_from(length).ok()?;
    DeflateDecoder::new(packed).take(limit + 1).read_to_end(&mut block).ok()?;
    (block.len() == length).then_some(block)
}

fn records<E>(
    mut block: &[u8],
    visit: &mut impl FnMut(Table, &[u8], &[u8]) -> Result<(), E>,
) -> Result<u64, E> {
    let mut count = 0;
    while let Some((table, key, value)) = next_record(&mut block) {
        visit(table, key, value)?;
        count += 1;
    }
    Ok(count)
}

/// Takes the first record off a block.
fn next_record<'a>(block: &mut &'a [u8]) -> Option<(Table, &'a [u8], &'a [u8])> {
    let (code, rest) = block.split_first()?;
    let table = Table::ALL.into_iter().find(|table| code_of(*table) == *code)?;
    let (key_length, rest) = rest.split_first_chunk::<4>()?;
    let (value_length, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_length) as usize)?;
    *block = rest;
    Some((table, key, value))
}

/// Codes are never given to another table.
const fn code_of(table: Table) -> u8 {
    match table {
        Table::Entries => 1,
        Table::Plans => 2,
        Table::Meta => 3,
    }
}
