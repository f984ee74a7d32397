//! The changes of one group: each is noted with the value before it, then written to sled, and made durable at the end.

use price_cache_domain::StoreError;
use price_cache_storage_embedded::{Table, WriteGroup};

use super::SledDatabase;
use crate::chunks;
use crate::error::from_sled;

pub(crate) struct Group<'a>(pub(crate) &'a SledDatabase);

impl Group<'_> {
    /// Notes the value before a change and returns that of an entry. The pages of a plan are noted only where they are
    /// put: a page that is removed belongs to a run that nobody reads any more.
    fn note(&self, table: Table, key: &[u8], is_removed: bool) -> Result<Option<Vec<u8>>, StoreError> {
        if table == Table::Plans && is_removed {
            return Ok(None);
        }
        let before = self.0.present(table, key)?;
        self.0.replaced.note(table, key, || before.clone());
        Ok(before)
    }
}

impl WriteGroup for Group<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let before = self.note(table, key, false)?;
        let tree = self.0.tree(table);
        if SledDatabase::is_in_chunks(table, key) {
            let _whole = self.0.chunked.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            chunks::put(tree, key, value)?;
        } else {
            tree.insert(key, value).map_err(|error| from_sled(&error))?;
        }
        Ok(before)
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let before = self.note(table, key, true)?;
        let tree = self.0.tree(table);
        if SledDatabase::is_in_chunks(table, key) {
            let _whole = self.0.chunked.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            chunks::remove(tree, key)?;
        } else {
            tree.remove(key).map_err(|error| from_sled(&error))?;
        }
        Ok(before)
    }
}
