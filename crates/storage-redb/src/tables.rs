//! The tables in the file, and what makes small groups cheap.
//!
//! A commit of redb writes each page on the way from a changed leaf to the root, and five more of its own. Three records that
//! lie in three markets so change ten pages and more. Therefore a small group goes into one small table, `recent`, whose few
//! pages all groups share, together with the totals that every group changes; when `recent` has [`RECENT_BYTES_MAX`], its
//! records move to the tables where they belong, sorted, in the transaction of that group. What lies in `recent` is newer than
//! what lies in a table, and a read looks there first.

use price_cache_storage_embedded::Table;
use redb::TableDefinition;

/// The bytes that `recent` may have: with less, it moves its records too often, with more, a group changes more of its pages
/// (measured with `examples/layout.rs`).
pub(crate) const RECENT_BYTES_MAX: usize = 24_000;
/// What a record takes in a page beside its key and its value.
const RECORD_BYTES: usize = 8;

pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// What was written last, of all tables; a letter before each key tells which.
pub(crate) const RECENT: Definition = Definition::new("recent");
/// What the name of a table begins with that a later layout of the file adds, its number behind it.
pub(crate) const LAYOUT: &str = "layout-";
/// The layout of this version.
pub(crate) const LAYOUT_NUMBER: u32 = 1;

/// Returns where the records of a table lie that are not recent.
pub(crate) const fn definition(table: Table) -> Definition {
    Definition::new(table.name())
}

const fn letter(table: Table) -> u8 {
    match table {
        Table::Entries => b'e',
        Table::Meta => b'm',
        Table::Plans => b'p',
    }
}

/// Returns the key of a record in `recent`.
pub(crate) fn recent_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut recent = Vec::with_capacity(1 + key.len());
    recent.push(letter(table));
    recent.extend_from_slice(key);
    recent
}

/// Returns the first key in `recent` behind all of a table.
pub(crate) fn recent_end(table: Table) -> Vec<u8> {
    vec![letter(table) + 1]
}

/// Returns the table of a key in `recent`, and its key there; `None` when there is no such table.
pub(crate) fn split_recent(key: &[u8]) -> Option<(Table, &[u8])> {
    let (letter_found, key) = key.split_first()?;
    let table = Table::ALL.into_iter().find(|table| letter(*table) == *letter_found)?;
    Some((table, key))
}

/// Returns what a record takes in `recent`, about.
pub(crate) const fn record_bytes(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + RECORD_BYTES
}
