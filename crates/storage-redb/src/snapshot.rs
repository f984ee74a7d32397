//! One moment of the database, for reading.

use std::collections::VecDeque;
use std::ops::{Bound, ControlFlow};

use price_cache_domain::StoreError;
use price_cache_storage_embedded::{Table, Visit};
use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableHandle};

use crate::error::from_redb;
use crate::tables::{self, Definition, LAYOUT, LAYOUT_NUMBER, RECENT};

/// Keys and values, in the order of the keys.
type Found = VecDeque<(Vec<u8>, Vec<u8>)>;
type Records = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The tables as the last group left them. The one before the group that is being committed is kept until its end: redb then
/// notes the pages that the commit frees once, not twice, which saves a page per commit.
pub(crate) struct Snapshot {
    entries: Records,
    plans: Records,
    meta: Records,
    recent: Records,
}

impl Snapshot {
    /// Takes the first moment after the database was opened.
    pub(crate) fn first(database: &Database) -> Result<Self, StoreError> {
        refuse_newer(&database.begin_read().map_err(from_redb)?)?;
        Self::take(database)
    }

    /// Takes the present moment.
    pub(crate) fn take(database: &Database) -> Result<Self, StoreError> {
        let transaction = database.begin_read().map_err(from_redb)?;
        let open = |definition: Definition| transaction.open_table(definition).map_err(from_redb);
        Ok(Self {
            entries: open(tables::definition(Table::Entries))?,
            plans: open(tables::definition(Table::Plans))?,
            meta: open(tables::definition(Table::Meta))?,
            recent: open(RECENT)?,
        })
    }

    const fn table(&self, table: Table) -> &Records {
        match table {
            Table::Entries => &self.entries,
            Table::Plans => &self.plans,
            Table::Meta => &self.meta,
        }
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let recent = self.recent.get(tables::recent_key(table, key).as_slice()).map_err(from_redb)?;
        if let Some(value) = recent {
            return Ok(Some(value.value().to_vec()));
        }
        let value = self.table(table).get(key).map_err(from_redb)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Visits the records from `from` on, up to but without `to`.
    pub(crate) fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        if to.is_some_and(|to| to <= from) {
            return Ok(());
        }
        let mut recent = self.recent_of(table, from, to)?;
        let range = (Bound::Included(from), to.map_or(Bound::Unbounded, Bound::Excluded));
        for item in self.table(table).range::<&[u8]>(range).map_err(from_redb)? {
            let (key, value) = item.map_err(from_redb)?;
            let (key, value) = (key.value(), value.value());
            while let Some((earlier, newer)) = recent.pop_front_if(|(recent, _)| recent.as_slice() < key) {
                if visit(&earlier, &newer)?.is_break() {
                    return Ok(());
                }
            }
            let newer = recent.pop_front_if(|(recent, _)| recent == key).map(|(_, value)| value);
            if visit(key, newer.as_deref().unwrap_or(value))?.is_break() {
                return Ok(());
            }
        }
        for (key, value) in recent {
            if let ControlFlow::Break(()) = visit(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    /// Returns the recent records of a part of a table: few, because `recent` has a limit.
    fn recent_of(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> Result<Found, StoreError> {
        let from = tables::recent_key(table, from);
        let to = to.map_or_else(|| tables::recent_end(table), |to| tables::recent_key(table, to));
        let mut found = Found::new();
        for item in self.recent.range::<&[u8]>(from.as_slice()..to.as_slice()).map_err(from_redb)? {
            let (key, value) = item.map_err(from_redb)?;
            if let Some((_, key)) = tables::split_recent(key.value()) {
                found.push_back((key.to_vec(), value.value().to_vec()));
            }
        }
        Ok(found)
    }

    /// Counts the bytes of all recent records.
    pub(crate) fn recent_bytes(&self) -> Result<usize, StoreError> {
        let mut bytes = 0;
        for item in self.recent.iter().map_err(from_redb)? {
            let (key, value) = item.map_err(from_redb)?;
            bytes += tables::record_bytes(key.value(), value.value());
        }
        Ok(bytes)
    }
}

/// Refuses a file with a later layout.
fn refuse_newer(transaction: &ReadTransaction) -> Result<(), StoreError> {
    for table in transaction.list_tables().map_err(from_redb)? {
        let layout = table.name().strip_prefix(LAYOUT).and_then(|number| number.parse().ok());
        if let Some(number) = layout
            && number > LAYOUT_NUMBER
        {
            return Err(StoreError::NewerFormat { found: number, supported: LAYOUT_NUMBER });
        }
    }
    Ok(())
}
