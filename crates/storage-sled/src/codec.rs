//! How records are written: one byte of format version, then CBOR maps with number keys. Fields may be
//! added to a version: older readers skip them, newer ones find them absent.

mod entry;
mod plan;
mod run;
mod scalar;

pub(crate) use entry::{decode_entry, encode_entry};
pub(crate) use plan::{decode_plan_page, encode_plan_page};
pub(crate) use run::{decode_run, encode_run};

use minicbor::{Decode, Decoder, Encode};
use price_cache_domain::StoreError;

/// The version that is written, and the newest that is read.
pub(crate) const FORMAT_VERSION: u8 = 1;

/// Why bytes are not a record. Becomes a [`StoreError`] where the key is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    Newer(u8),
    Damaged(String),
}

impl DecodeError {
    pub(crate) fn damaged(reason: impl ToString) -> Self {
        Self::Damaged(reason.to_string())
    }

    /// Names the record.
    pub(crate) fn of(self, record: impl FnOnce() -> String) -> StoreError {
        match self {
            Self::Newer(found) => {
                StoreError::NewerFormat { found: u32::from(found), supported: u32::from(FORMAT_VERSION) }
            }
            Self::Damaged(reason) => StoreError::Damaged(format!("{}: {reason}", record())),
        }
    }
}

/// Puts the version before a record.
fn seal<T: Encode<()>>(record: &T, bytes_expected: usize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(bytes_expected);
    bytes.push(FORMAT_VERSION);
    minicbor::encode(record, &mut bytes)
        .map_err(|error| StoreError::Io(format!("a record cannot be encoded: {error}")))?;
    Ok(bytes)
}

/// Reads the record after the version; all bytes must belong to it.
fn unseal<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    let (version, record) = bytes.split_first().ok_or_else(|| DecodeError::damaged("it is empty"))?;
    match *version {
        FORMAT_VERSION => {
            let mut decoder = Decoder::new(record);
            let value = decoder.decode().map_err(DecodeError::damaged)?;
            if decoder.position() == record.len() {
                Ok(value)
            } else {
                Err(DecodeError::damaged("there are bytes after its end"))
            }
        }
        0 => Err(DecodeError::damaged("it has format 0, which never was")),
        newer => Err(DecodeError::Newer(newer)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;
