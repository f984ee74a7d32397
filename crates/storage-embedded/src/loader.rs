//! Fills a database that nobody reads yet, in groups, and keeps its totals.

use price_cache_domain::StoreError;
use price_cache_records::keys;

use crate::layout::write_head;
use crate::panics::guard;
use crate::totals::{self, Totals};
use crate::{Backend, Table};

/// Records that are written together.
const GROUP_RECORDS: usize = 1_024;
/// Bytes after which a group is written though it has fewer records.
const GROUP_BYTES: usize = 1024 * 1024;

/// Whether a value belongs to one database and is not taken over into another.
pub(crate) fn is_own(table: Table, key: &[u8]) -> bool {
    table == Table::Meta && [keys::FORMAT, totals::KEY].contains(&key)
}

pub(crate) struct Loader<'a, B> {
    database: &'a B,
    group: Vec<(Table, Vec<u8>, Vec<u8>)>,
    bytes: usize,
    totals: Totals,
}

impl<'a, B: Backend> Loader<'a, B> {
    pub(crate) fn new(database: &'a B) -> Self {
        Self { database, group: Vec::new(), bytes: 0, totals: Totals::default() }
    }

    /// Puts a record in place of an earlier one under the key.
    pub(crate) fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if is_own(table, key) {
            return Ok(());
        }
        self.bytes += key.len() + value.len();
        self.group.push((table, key.to_vec(), value.to_vec()));
        if self.group.len() >= GROUP_RECORDS || self.bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    /// Returns what was put under a key and [`flushed`](Self::flush).
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        guard(|| self.database.get(table, key))
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        let group = std::mem::take(&mut self.group);
        self.bytes = 0;
        let totals = &mut self.totals;
        guard(|| {
            self.database.write(&mut |writer| {
                for (table, key, value) in &group {
                    let replaced = writer.put(*table, key, value)?;
                    if *table == Table::Entries {
                        if let Some(replaced) = replaced {
                            totals.subtract(key, &replaced);
                        }
                        totals.add(key, value);
                    }
                }
                Ok(())
            })
        })
    }

    /// Writes what waits, and last of all what makes the database one: its format, the run and the totals.
    pub(crate) fn finish(mut self, run: &[u8], sequence: u64) -> Result<Totals, StoreError> {
        self.flush()?;
        let totals = Totals { sequence, ..self.totals };
        guard(|| self.database.write(&mut |writer| write_head(writer, run, totals)))?;
        Ok(totals)
    }
}
