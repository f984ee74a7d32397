//! What readers are to see while a group is on its way to the disk. Sled shows an insert at once, long before it is durable,
//! so the value before it is kept here until then.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use price_cache_storage_embedded::Table;

/// A value before the group, or that there was none.
type Before = Option<Vec<u8>>;

/// The values that the group under way replaces, as they were before it.
///
/// A reader first reads sled and then asks here; the writer first notes the value here and then writes to sled, and forgets
/// the note once the group is durable. So whatever a reader finds in sled, it has either become durable before the reader asks
/// here, or the durable value is still noted.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    tables: RwLock<[BTreeMap<Vec<u8>, Before>; 3]>,
}

const fn index_of(table: Table) -> usize {
    match table {
        Table::Entries => 0,
        Table::Plans => 1,
        Table::Meta => 2,
    }
}

impl Replaced {
    /// Notes the value of a key before it is first changed by the group.
    pub(crate) fn note(&self, table: Table, key: &[u8], before: impl FnOnce() -> Before) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables[index_of(table)].entry(key.to_vec()).or_insert_with(before);
    }

    /// Forgets all notes: the group is durable.
    pub(crate) fn forget(&self) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.iter_mut().for_each(BTreeMap::clear);
    }

    /// Returns the durable value of a key, given the one that was just read from sled.
    pub(crate) fn durable(&self, table: Table, key: &[u8], read: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables[index_of(table)].get(key).map_or(read, Clone::clone)
    }

    /// Returns the noted values of a range of keys.
    pub(crate) fn noted(&self, table: Table, from: &[u8], to: Bound<&[u8]>) -> Vec<(Vec<u8>, Before)> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let range = tables[index_of(table)].range::<[u8], _>((Bound::Included(from), to));
        range.map(|(key, before)| (key.clone(), before.clone())).collect()
    }
}
