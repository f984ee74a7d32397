//! Seals a record under its key: one byte of format version, a checksum over key and record, then CBOR maps with
//! number keys. Fields may be added to a version: older readers skip them, newer ones find them absent.

use minicbor::{Decode, Decoder, Encode};
use price_cache_domain::StoreError;

/// The version that is written, and the newest that is read.
pub const FORMAT_VERSION: u8 = 2;
/// The version before it: without a checksum.
pub(crate) const WITHOUT_CHECKSUM: u8 = 1;
pub(crate) const CHECKSUM_BYTES: usize = 4;

/// Why bytes are not a record. Becomes a [`StoreError`] where the key is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A newer version of this program wrote it, in this format.
    Newer(u8),
    /// It cannot be read, for this reason.
    Damaged(String),
}

impl DecodeError {
    /// Makes the error of a record that cannot be read for a reason.
    pub fn damaged(reason: impl ToString) -> Self {
        Self::Damaged(reason.to_string())
    }

    /// Makes the error of an entry under a key that this program never wrote.
    pub fn foreign_key() -> Self {
        Self::damaged("its key is not a market and a product")
    }

    /// Names the record.
    pub fn of(self, record: impl FnOnce() -> String) -> StoreError {
        match self {
            Self::Newer(found) => {
                StoreError::NewerFormat { found: u32::from(found), supported: u32::from(FORMAT_VERSION) }
            }
            Self::Damaged(reason) => StoreError::Damaged(format!(
                "{}: {reason}; stop the server and run `price-cache doctor --repair`",
                record()
            )),
        }
    }
}

/// A checksum over a record and the key it belongs to. Sled has checksums of its own, but it stores the beginning that
/// the keys of a page have in common once: where a damaged log loses a page and keeps what was added to it, a value
/// comes back under the key of another product. Such a value must be an error, not a price.
pub(crate) fn checksum(key: &[u8], record: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    // With its length the end of the key is part of what is checked.
    hasher.update(&key.len().to_le_bytes());
    hasher.update(key);
    hasher.update(record);
    hasher.finalize().to_le_bytes()
}

/// Encodes a record and puts version and checksum before it.
pub(crate) fn seal<T: Encode<()>>(
    key: &[u8],
    record: &T,
    bytes_expected: usize,
) -> Result<Vec<u8>, StoreError> {
    const RECORD_AT: usize = 1 + CHECKSUM_BYTES;
    let mut bytes = Vec::with_capacity(RECORD_AT + bytes_expected);
    bytes.resize(RECORD_AT, FORMAT_VERSION);
    minicbor::encode(record, &mut bytes)
        .map_err(|error| StoreError::Io(format!("a record cannot be encoded: {error}")))?;
    let checksum = checksum(key, &bytes[RECORD_AT..]);
    bytes[1..RECORD_AT].copy_from_slice(&checksum);
    Ok(bytes)
}

/// Reads the record that is sealed under a key; all bytes must belong to it.
pub(crate) fn unseal<'b, T: Decode<'b, ()>>(key: &[u8], bytes: &'b [u8]) -> Result<T, DecodeError> {
    let (version, sealed) = bytes.split_first().ok_or_else(|| DecodeError::damaged("it is empty"))?;
    let record = match *version {
        FORMAT_VERSION => checked(key, sealed)?,
        WITHOUT_CHECKSUM => sealed,
        0 => return Err(DecodeError::damaged("it has format 0, which never was")),
        newer => return Err(DecodeError::Newer(newer)),
    };
    let mut decoder = Decoder::new(record);
    let value = decoder.decode().map_err(DecodeError::damaged)?;
    if decoder.position() == record.len() {
        Ok(value)
    } else {
        Err(DecodeError::damaged("there are bytes after its end"))
    }
}

/// The record after its checksum, where that is right.
fn checked<'b>(key: &[u8], sealed: &'b [u8]) -> Result<&'b [u8], DecodeError> {
    match sealed.split_first_chunk() {
        Some((expected, record)) if *expected == checksum(key, record) => Ok(record),
        Some(_) => Err(DecodeError::damaged("its checksum is wrong, or it belongs to another key")),
        None => Err(DecodeError::damaged("it ends within its checksum")),
    }
}
