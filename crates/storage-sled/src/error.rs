//! How errors of sled become errors of the store.

use price_cache_domain::StoreError;
use price_cache_storage_embedded::from_io;

pub(crate) fn from_sled(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) => from_io(error),
        sled::Error::Corruption { .. } => {
            StoreError::Damaged("a checksum of the database is wrong".to_owned())
        }
        // We never change the settings that it compares with the file `conf`.
        sled::Error::Unsupported(_) => {
            StoreError::Damaged("the settings in the file conf of the database are not ours".to_owned())
        }
        sled::Error::CollectionNotFound(_) | sled::Error::ReportableBug(_) => {
            StoreError::Io(error.to_string())
        }
    }
}
