//! Values of any size as chunks of a few kilobytes, put and taken as one.
//!
//! Sled keeps sixteen values on a page whatever their size, and a page beyond about 128 KiB in a file of
//! its own that it never syncs. Chunks keep pages below that.

use price_cache_domain::StoreError;
use sled::{Batch, Tree};

use crate::error::from_sled;

/// The size of a chunk in bytes: sixteen make a page of 64 KiB at most.
const CHUNK_BYTES: usize = 4_096;
/// The bytes that a chunk's number adds to the key.
pub(crate) const NUMBER_BYTES: usize = 2;

fn key(prefix: &[u8], index: usize) -> Result<Vec<u8>, StoreError> {
    let index = u16::try_from(index)
        .map_err(|_| StoreError::Io(format!("a record of more than {} chunks", u16::MAX)))?;
    Ok([prefix, &index.to_be_bytes()].concat())
}

/// Puts a value in place of all chunks under `prefix`.
pub(crate) fn put(tree: &Tree, prefix: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    let count = value.len().div_ceil(CHUNK_BYTES);
    for (index, chunk) in value.chunks(CHUNK_BYTES).enumerate() {
        batch.insert(key(prefix, index)?, chunk);
    }
    let first_left_over = key(prefix, count)?;
    for left_over in tree.range(first_left_over..).keys() {
        let left_over = left_over.map_err(|error| from_sled(&error))?;
        if !left_over.starts_with(prefix) {
            break;
        }
        batch.remove(left_over);
    }
    tree.apply_batch(batch).map_err(|error| from_sled(&error))
}

/// Removes all chunks under `prefix`.
pub(crate) fn remove(tree: &Tree, prefix: &[u8]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for key in tree.scan_prefix(prefix).keys() {
        batch.remove(key.map_err(|error| from_sled(&error))?);
    }
    tree.apply_batch(batch).map_err(|error| from_sled(&error))
}

/// Returns the value under `prefix`; `None` when there is no chunk of it.
pub(crate) fn get(tree: &Tree, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut value: Option<Vec<u8>> = None;
    for item in tree.scan_prefix(prefix) {
        let (_, chunk) = item.map_err(|error| from_sled(&error))?;
        value.get_or_insert_default().extend_from_slice(&chunk);
    }
    Ok(value)
}
