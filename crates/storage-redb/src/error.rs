//! How errors of redb become errors of the store.

use std::io::{self, ErrorKind};

use price_cache_domain::StoreError;

/// The newest file format of redb that this crate reads.
const FILE_FORMAT: u32 = 3;
/// How the sentence of redb about a newer format begins; the format is its last word.
const NEWER_FORMAT: &str = "Expected file format version <= ";

pub(crate) fn from_io(error: &io::Error) -> StoreError {
    match error.kind() {
        // What redb says of a file that does not begin as its files do, and a read beyond the end of a file that was cut.
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            StoreError::Damaged(format!("the database file is not whole ({error})"))
        }
        _ => price_cache_storage_embedded::from_io(error),
    }
}

pub(crate) fn from_redb(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) => from_io(&error),
        redb::Error::Corrupted(reason) => from_corruption(&reason),
        redb::Error::RepairAborted => {
            StoreError::Damaged("the database was not closed and could not be recovered".to_owned())
        }
        // No version of this crate wrote a file so old.
        redb::Error::UpgradeRequired(found) => {
            StoreError::Damaged(format!("the database file has the old format {found} of redb"))
        }
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            StoreError::Io("another process has the database open".to_owned())
        }
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => StoreError::Io(
            "the database has to be opened again after an earlier error of the disk".to_owned(),
        ),
        error @ (redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableIsNotMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableDoesNotExist(_)) => StoreError::Damaged(format!(
            "the tables of the database are not those of a price cache ({error})"
        )),
        error => StoreError::Io(error.to_string()),
    }
}

/// Tells a file of a newer redb, which this one calls corrupted, from damage.
fn from_corruption(reason: &str) -> StoreError {
    let found = reason
        .strip_prefix(NEWER_FORMAT)
        .and_then(|rest| rest.rsplit(' ').next())
        .and_then(|text| text.parse().ok());
    match found {
        Some(found) if found > FILE_FORMAT => StoreError::NewerFormat { found, supported: FILE_FORMAT },
        _ => StoreError::Damaged(format!("a checksum of the database is wrong ({reason})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_errors() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let error = redb::StorageError::Io(io::Error::from(kind));
            assert!(matches!(from_redb(error), StoreError::Full(_)), "{kind}");
        }
        let error = redb::StorageError::Io(io::Error::other("no such luck"));
        assert!(matches!(from_redb(error), StoreError::Io(_)));
    }

    #[test]
    fn damage_and_other_formats_are_named() {
        let damage = redb::StorageError::Corrupted("page".to_owned());
        assert!(matches!(from_redb(damage), StoreError::Damaged(_)));
        assert!(matches!(from_redb(redb::DatabaseError::RepairAborted), StoreError::Damaged(_)));
        assert!(matches!(from_redb(redb::DatabaseError::UpgradeRequired(2)), StoreError::Damaged(_)));
        let newer = redb::StorageError::Corrupted(format!("{NEWER_FORMAT}3, found 4"));
        assert!(matches!(from_redb(newer), StoreError::NewerFormat { found: 4, supported: 3 }));
    }
}
