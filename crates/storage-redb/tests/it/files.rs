//! The backend on files.

use std::fs;
use std::path::Path;

use price_cache_domain::StoreError;
use price_cache_storage_embedded::{Backend, Table};
use price_cache_storage_redb::{FILE_NAME, RedbDatabase};

use crate::workload::{Workload, contents, settings};

fn open(folder: &Path) -> Result<RedbDatabase, StoreError> {
    RedbDatabase::open(folder, &settings())
}

fn look(folder: &Path) -> Result<RedbDatabase, StoreError> {
    RedbDatabase::look(folder, &settings(), folder)
}

#[test]
fn a_new_folder_gets_an_empty_database() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!RedbDatabase::is_in(folder.path()));
    fs::write(folder.path().join("store.redb.making"), b"left over from a kill").unwrap();
    let database = open(folder.path()).unwrap();
    assert!(RedbDatabase::is_in(folder.path()));
    assert!(contents(&database).unwrap().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_was_written_is_there_after_the_next_open_which_may_come_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let workload = Workload::new(20, 13);
    for number in 1..=20 {
        let database = open(folder.path()).unwrap();
        assert!(open(folder.path()).is_err(), "a second handle");
        workload.check(&database, number - 1, number - 1);
        workload.write(&database, number).unwrap();
        if number % 2 == 0 { drop(database) } else { database.close().unwrap() }
    }
    workload.check(&open(folder.path()).unwrap(), 20, 20);
}

#[test]
fn a_look_changes_nothing_and_refuses_writes() {
    let folder = tempfile::tempdir().unwrap();
    let workload = Workload::new(30, 14);
    let database = open(folder.path()).unwrap();
    (1..=30).for_each(|number| workload.write(&database, number).unwrap());
    let copy = tempfile::tempdir().unwrap();
    // As a kill leaves it.
    fs::copy(folder.path().join(FILE_NAME), copy.path().join(FILE_NAME)).unwrap();
    database.close().unwrap();
    for folder in [folder.path(), copy.path()] {
        let path = folder.join(FILE_NAME);
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        let (bytes, time) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
        let looked = look(folder).unwrap();
        workload.check(&looked, 30, 30);
        assert!(looked.write(&mut |writer| writer.put(Table::Meta, b"a", b"b").map(drop)).is_err());
        workload.check(&looked, 30, 30);
        looked.close().unwrap();
        drop(look(folder).unwrap());
        assert!(fs::read(&path).unwrap() == bytes);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    }
}

#[test]
fn what_is_no_database_is_damaged_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(look(folder.path()), Err(StoreError::Damaged(_))));
    let path = folder.path().join(FILE_NAME);
    let other = tempfile::tempdir().unwrap();
    drop(redb::Database::create(other.path().join(FILE_NAME)).unwrap());
    let other = fs::read(other.path().join(FILE_NAME)).unwrap();
    for bytes in [Vec::new(), vec![0; 100_000], b"no database".to_vec()] {
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(look(folder.path()), Err(StoreError::Damaged(_))));
        assert!(matches!(open(folder.path()), Err(StoreError::Damaged(_))));
        assert!(fs::read(&path).unwrap() == bytes);
    }
    fs::write(&path, other).unwrap();
    assert!(matches!(look(folder.path()), Err(StoreError::Damaged(_))));
    assert!(matches!(open(folder.path()), Err(StoreError::Damaged(_))));
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().close().unwrap();
    let path = folder.path().join(FILE_NAME);
    let bytes = fs::read(&path).unwrap();
    let mut newer = bytes.clone();
    // The first byte of both commit slots in the header of redb.
    (newer[64], newer[192]) = (4, 4);
    fs::write(&path, newer).unwrap();
    for result in [open(folder.path()), look(folder.path())] {
        assert!(matches!(result.err(), Some(StoreError::NewerFormat { found: 4, supported: 3 })));
    }
    fs::write(&path, bytes).unwrap();
    {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(redb::TableDefinition::<&[u8], &[u8]>::new("layout-2")).unwrap();
        transaction.commit().unwrap();
    }
    for result in [open(folder.path()), look(folder.path())] {
        assert!(matches!(result.err(), Some(StoreError::NewerFormat { found: 2, supported: 1 })));
    }
}
