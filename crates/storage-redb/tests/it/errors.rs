//! Errors of the disk at each operation of a workload.

use std::io::ErrorKind;

use price_cache_domain::StoreError;
use price_cache_storage_embedded::Backend;

use crate::disk::{Disk, Fault, Operation};
use crate::workload::{Workload, empty_image, open, setting};

/// Writes all groups, opening the database again after each error. Returns whether an error came.
fn write_all(workload: &Workload, disk: &Disk, expect_full: bool) -> bool {
    let mut errors = 0;
    let mut failed = |error: StoreError| {
        assert_eq!(matches!(error, StoreError::Full(_)), expect_full, "{error}");
        errors += 1;
    };
    let open_again = |failed: &mut dyn FnMut(StoreError)| {
        open(disk).or_else(|error| {
            failed(error);
            open(disk)
        })
    };
    let mut database = open_again(&mut failed);
    for number in 1..=workload.groups.len() {
        let handle = database.as_ref().unwrap();
        if let Err(error) = workload.write(handle, number) {
            failed(error);
            assert!(workload.write(handle, number).is_err(), "the handle goes on after an error");
            drop(database);
            database = open(disk);
            let handle = database.as_ref().unwrap();
            workload.check(handle, number - 1, number);
            workload.write(handle, number).unwrap();
        }
        workload.check(database.as_ref().unwrap(), number, number);
    }
    // An error at the end may be reported or not; the next open finds everything.
    let closed = database.unwrap().close();
    let last = open_again(&mut failed).unwrap();
    workload.check(&last, workload.groups.len(), workload.groups.len());
    errors > 0 || closed.is_err() || last.close().is_err()
}

fn at_each_operation(fault: Fault, expect_full: bool) {
    let workload = Workload::new(setting("REDB_GROUPS_OF_ERRORS", 14), 7);
    let start = empty_image();
    let whole = Disk::new(start.clone());
    assert!(!write_all(&workload, &whole, false));
    for at in 0..whole.operations() {
        let disk = Disk::failing(start.clone(), at, fault);
        assert!(write_all(&workload, &disk, expect_full), "the error of operation {at} was not reported");
    }
}

#[test]
fn a_full_disk_at_any_operation_is_survived() {
    at_each_operation(Fault::Error(ErrorKind::StorageFull), true);
}

#[test]
fn a_disk_that_is_full_within_a_write_is_survived() {
    at_each_operation(Fault::Partly(ErrorKind::QuotaExceeded), true);
}

#[test]
fn an_error_of_the_disk_at_any_operation_is_survived() {
    at_each_operation(Fault::Error(ErrorKind::Other), false);
}

#[test]
fn a_sync_that_fails_and_loses_pages_is_survived() {
    let workload = Workload::new(setting("REDB_GROUPS_OF_ERRORS", 14), 10);
    let start = empty_image();
    let whole = Disk::new(start.clone());
    write_all(&workload, &whole, false);
    let is_sync = |at: &usize| matches!(whole.log()[*at], Operation::Sync);
    for at in (0..whole.operations()).filter(is_sync) {
        for seed in 0..8 {
            let disk = Disk::failing(start.clone(), at, Fault::LostSync(seed));
            assert!(write_all(&workload, &disk, false), "the error of operation {at} was not reported");
        }
    }
}

#[test]
fn a_disk_that_is_gone_from_any_operation_on_is_an_error() {
    let workload = Workload::new(setting("REDB_GROUPS_OF_ERRORS", 14), 8);
    let start = empty_image();
    let whole = Disk::new(start.clone());
    write_all(&workload, &whole, false);
    for at in 0..whole.operations() {
        let disk = Disk::failing(start.clone(), at, Fault::Stop);
        let mut written = 0;
        if let Ok(database) = open(&disk) {
            written = (1..=workload.groups.len())
                .take_while(|number| workload.write(&database, *number).is_ok())
                .count();
            drop(database);
        }
        let most = (written + 1).min(workload.groups.len());
        workload.check(&open(&Disk::new(disk.image())).unwrap(), written, most);
    }
}
