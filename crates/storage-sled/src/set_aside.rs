//! Copies records, as they lie in the store, into a file beside it, so that they can be taken out and nothing is lost.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use price_cache_domain::StoreError;
use sled::{IVec, Tree};

use crate::database::Database;
use crate::error::{from_io, from_sled};
use crate::folder::sync_folder;
use crate::keys;
use crate::verify::RecordKey;

/// Appends a line of JSON for each key of the records: tree, key and value, both as hexadecimal digits. Durable when
/// it returns.
pub(crate) fn copy(database: &Database, records: &[RecordKey], file: &Path) -> Result<(), StoreError> {
    let mut lines = String::new();
    for record in records {
        let (name, tree) = tree_of(database, record);
        for (key, value) in items(tree, record)? {
            lines.push_str("{\"tree\":\"");
            lines.push_str(name);
            lines.push_str("\",\"key\":\"");
            push_hex(&mut lines, &key);
            lines.push_str("\",\"value\":\"");
            push_hex(&mut lines, &value);
            lines.push_str("\"}\n");
        }
    }
    let written = || {
        let mut opened = File::options().create(true).append(true).open(file)?;
        opened.write_all(lines.as_bytes())?;
        opened.sync_all()?;
        file.parent().map_or(Ok(()), sync_folder)
    };
    written().map_err(|error| from_io(&error))
}

/// Takes the records out.
pub(crate) fn remove(database: &Database, records: &[RecordKey]) -> Result<(), StoreError> {
    for record in records {
        let (_, tree) = tree_of(database, record);
        for (key, _) in items(tree, record)? {
            tree.remove(key).map_err(|error| from_sled(&error))?;
        }
    }
    Ok(())
}

fn tree_of<'a>(database: &'a Database, record: &RecordKey) -> (&'static str, &'a Tree) {
    match record {
        RecordKey::Run => ("meta", &database.meta),
        RecordKey::Entry(_) => ("entries", &database.entries),
        RecordKey::PlanPage(_) => ("plans", &database.plans),
    }
}

/// What lies in the tree under the record.
fn items(tree: &Tree, record: &RecordKey) -> Result<Vec<(IVec, IVec)>, StoreError> {
    let one = |key: &[u8]| -> Result<Vec<(IVec, IVec)>, StoreError> {
        let value = tree.get(key).map_err(|error| from_sled(&error))?;
        Ok(value.map(|value| (IVec::from(key), value)).into_iter().collect())
    };
    let prefix = match record {
        RecordKey::Entry(key) => return one(key),
        // A shorter key is no prefix of chunks, only of other pages.
        RecordKey::PlanPage(key) if key.len() < keys::PLAN_PAGE_BYTES => return one(key),
        RecordKey::PlanPage(key) => key.as_slice(),
        RecordKey::Run => keys::RUN,
    };
    tree.scan_prefix(prefix).map(|item| item.map_err(|error| from_sled(&error))).collect()
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}
