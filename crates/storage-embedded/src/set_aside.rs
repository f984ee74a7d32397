//! Copies records, as they lie in the store, into a file beside it, so that they can be taken out and nothing is lost.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use price_cache_domain::{RecordKey, StoreError};
use price_cache_records::keys;

use crate::error::from_io;
use crate::folder::sync_folder;
use crate::{Backend, Table};

/// Appends a line of JSON for each record: table, key and value, both as hexadecimal digits. Durable when it returns.
pub(crate) fn copy<B: Backend>(database: &B, records: &[RecordKey], file: &Path) -> Result<(), StoreError> {
    let mut lines = String::new();
    for record in records {
        let (table, key) = place_of(record);
        if let Some(value) = database.get(table, key)? {
            lines.push_str("{\"tree\":\"");
            lines.push_str(table.name());
            lines.push_str("\",\"key\":\"");
            push_hex(&mut lines, key);
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

/// Returns the table and the key of a record.
pub(crate) fn place_of(record: &RecordKey) -> (Table, &[u8]) {
    match record {
        RecordKey::Run => (Table::Meta, keys::RUN),
        RecordKey::Entry(key) => (Table::Entries, key),
        RecordKey::PlanPage(key) => (Table::Plans, key),
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}
