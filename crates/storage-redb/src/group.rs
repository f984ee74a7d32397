//! The changes of one group, within a write transaction.

use std::collections::BTreeMap;

use price_cache_domain::StoreError;
use price_cache_storage_embedded::{Table, WriteGroup};
use redb::{ReadableTable, Table as Open, WriteTransaction};

use crate::error::from_redb;
use crate::tables::{self, RECENT, RECENT_BYTES_MAX, record_bytes};

/// The bytes of changes that are kept in memory; a larger group goes to its tables in parts, in the same transaction.
const PENDING_BYTES_MAX: usize = 1 << 20;

type Records<'t> = Open<'t, &'static [u8], &'static [u8]>;

/// A group on its way into a transaction. Values wait in memory until all are known: only then it is known whether they are
/// few enough to stay recent.
pub(crate) struct Group<'t> {
    entries: Records<'t>,
    plans: Records<'t>,
    meta: Records<'t>,
    recent: Records<'t>,
    /// By their keys in `recent`.
    pending: BTreeMap<Vec<u8>, Vec<u8>>,
    pending_bytes: usize,
    recent_bytes: usize,
}

impl<'t> Group<'t> {
    /// Begins a group; `recent_bytes` is what `recent` has.
    pub(crate) fn begin(transaction: &'t WriteTransaction, recent_bytes: usize) -> Result<Self, StoreError> {
        let open = |definition| transaction.open_table(definition).map_err(from_redb);
        Ok(Self {
            entries: open(tables::definition(Table::Entries))?,
            plans: open(tables::definition(Table::Plans))?,
            meta: open(tables::definition(Table::Meta))?,
            recent: open(RECENT)?,
            pending: BTreeMap::new(),
            pending_bytes: 0,
            recent_bytes,
        })
    }

    /// Puts what waits where it belongs; returns the bytes that `recent` has then.
    pub(crate) fn finish(mut self) -> Result<usize, StoreError> {
        if self.recent_bytes + self.pending_bytes > RECENT_BYTES_MAX {
            self.settle()?;
            return Ok(self.recent_bytes);
        }
        for (key, value) in std::mem::take(&mut self.pending) {
            self.recent_bytes += record_bytes(&key, &value);
            let old = self.recent.insert(key.as_slice(), value.as_slice()).map_err(from_redb)?;
            if let Some(old) = old {
                self.recent_bytes -= record_bytes(&key, old.value());
            }
        }
        Ok(self.recent_bytes)
    }

    /// Moves all that waits and all that is recent to the tables, sorted.
    fn settle(&mut self) -> Result<(), StoreError> {
        if self.recent_bytes > 0 {
            for item in self.recent.iter().map_err(from_redb)? {
                let (key, value) = item.map_err(from_redb)?;
                self.pending.entry(key.value().to_vec()).or_insert_with(|| value.value().to_vec());
            }
            self.recent.retain(|_, _| false).map_err(from_redb)?;
            self.recent_bytes = 0;
        }
        self.pending_bytes = 0;
        for (key, value) in std::mem::take(&mut self.pending) {
            let Some((table, key)) = tables::split_recent(&key) else {
                return Err(StoreError::Damaged("a recent record belongs to no table".to_owned()));
            };
            self.table(table).insert(key, value.as_slice()).map_err(from_redb)?;
        }
        Ok(())
    }

    const fn table(&mut self, table: Table) -> &mut Records<'t> {
        match table {
            Table::Entries => &mut self.entries,
            Table::Plans => &mut self.plans,
            Table::Meta => &mut self.meta,
        }
    }

    /// Returns the value in the tables, without what waits.
    fn stored(&mut self, table: Table, recent_key: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.recent_bytes > 0
            && let Some(value) = self.recent.get(recent_key).map_err(from_redb)?
        {
            return Ok(Some(value.value().to_vec()));
        }
        let value = self.table(table).get(key).map_err(from_redb)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// Takes back what waits for a key.
    fn forget_pending(&mut self, recent_key: &[u8]) -> Option<Vec<u8>> {
        let value = self.pending.remove(recent_key)?;
        self.pending_bytes -= record_bytes(recent_key, &value);
        Some(value)
    }
}

impl WriteGroup for Group<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let recent_key = tables::recent_key(table, key);
        let old = match self.forget_pending(&recent_key) {
            Some(old) => Some(old),
            None => self.stored(table, &recent_key, key)?,
        };
        self.pending_bytes += record_bytes(&recent_key, value);
        self.pending.insert(recent_key, value.to_vec());
        if self.pending_bytes > PENDING_BYTES_MAX {
            self.settle()?;
        }
        Ok(old)
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let recent_key = tables::recent_key(table, key);
        let pending = self.forget_pending(&recent_key);
        let recent = self.recent.remove(recent_key.as_slice()).map_err(from_redb)?;
        let recent = recent.map(|value| value.value().to_vec());
        if let Some(value) = &recent {
            self.recent_bytes -= record_bytes(&recent_key, value);
        }
        let settled = self.table(table).remove(key).map_err(from_redb)?;
        let settled = settled.map(|value| value.value().to_vec());
        Ok(pending.or(recent).or(settled))
    }
}
