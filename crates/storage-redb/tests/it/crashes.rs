//! Kills and losses of power at each operation of a workload, and at each operation of the open after that.

use fastrand::Rng;
use price_cache_domain::StoreError;
use price_cache_storage_embedded::Backend;
use price_cache_storage_redb::RedbDatabase;

use crate::disk::{Disk, Operation, lose_power};
use crate::workload::{Workload, empty_image, open, setting, settings};

/// What a workload did to a disk.
struct Trace {
    workload: Workload,
    start: Vec<u8>,
    log: Vec<Operation>,
    /// After how many operations each group was acknowledged, and the database open before them.
    acknowledged: Vec<usize>,
}

impl Trace {
    fn record(groups: usize, seed: u64) -> Self {
        let workload = Workload::new(groups, seed);
        let start = empty_image();
        let disk = Disk::new(start.clone());
        let database = open(&disk).unwrap();
        let mut acknowledged = vec![0];
        for number in 1..=groups {
            workload.write(&database, number).unwrap();
            acknowledged.push(disk.operations());
        }
        database.close().unwrap();
        Self { workload, start, log: disk.log(), acknowledged }
    }

    /// Calls with each number of operations done, the image after them, the durable image, and how many operations came after
    /// that.
    fn each(&self, mut call: impl FnMut(usize, &[u8], &[u8], &[Operation])) {
        let (mut image, mut durable, mut synced) = (self.start.clone(), self.start.clone(), 0);
        for (done, operation) in self.log.iter().enumerate() {
            call(done, &image, &durable, &self.log[synced..done]);
            operation.apply(&mut image);
            if matches!(operation, Operation::Sync) {
                durable.clone_from(&image);
                synced = done + 1;
            }
        }
        call(self.log.len(), &image, &durable, &self.log[synced..]);
    }

    /// How many groups are acknowledged after so many operations, and how many may be there.
    fn bounds(&self, done: usize) -> (usize, usize) {
        let least = self.acknowledged.iter().filter(|at| **at <= done).count() - 1;
        (least, (least + 1).min(self.workload.groups.len()))
    }

    /// Looks at an image and opens it: both find all that was acknowledged. Returns what the open did to it.
    fn check(&self, image: &[u8], done: usize) -> Vec<Operation> {
        let (least, most) = self.bounds(done);
        let disk = Disk::new(image.to_vec());
        let looked = look(&disk).unwrap_or_else(|error| panic!("a look after {done} operations: {error}"));
        let seen = self.workload.check(&looked, least, most);
        drop(looked);
        assert_eq!(disk.operations(), 0, "a look wrote");
        let database = open(&disk).unwrap_or_else(|error| panic!("an open after {done} operations: {error}"));
        let log = disk.log();
        assert_eq!(self.workload.check(&database, seen, seen), seen);
        log
    }
}

fn look(disk: &Disk) -> Result<RedbDatabase, StoreError> {
    RedbDatabase::look_on(disk.clone(), &settings())
}

#[test]
fn a_kill_at_any_operation_loses_nothing() {
    let trace = Trace::record(setting("REDB_GROUPS", 120), 1);
    trace.each(|done, image, _, _| {
        trace.check(image, done);
    });
    println!("{} operations", trace.log.len());
}

#[test]
fn a_loss_of_power_at_any_operation_loses_nothing() {
    let trace = Trace::record(setting("REDB_GROUPS", 120), 2);
    let mut random = Rng::with_seed(2);
    trace.each(|done, _, durable, unsynced| {
        for _ in 0..setting("REDB_DRAWS", 1) {
            trace.check(&lose_power(durable, unsynced, &mut random), done);
        }
    });
}

#[test]
fn a_loss_of_power_right_before_a_sync_loses_nothing() {
    let trace = Trace::record(setting("REDB_GROUPS", 100), 3);
    let mut random = Rng::with_seed(3);
    trace.each(|done, _, durable, unsynced| {
        if matches!(trace.log.get(done), Some(Operation::Sync)) {
            for _ in 0..setting("REDB_DRAWS", 1) * 8 {
                trace.check(&lose_power(durable, unsynced, &mut random), done);
            }
        }
    });
}

#[test]
fn what_an_open_after_a_kill_shows_is_durable() {
    let trace = Trace::record(setting("REDB_GROUPS", 100), 6);
    let mut random = Rng::with_seed(6);
    let mut ahead = 0;
    trace.each(|done, _, durable, unsynced| {
        let (least, most) = trace.bounds(done);
        let disk = Disk::killed(durable.to_vec(), unsynced);
        let database = open(&disk).unwrap();
        let shown = trace.workload.check(&database, least, most);
        let later = Disk::new(disk.after_a_loss_of_power(&mut random));
        trace.workload.check(&look(&later).unwrap(), shown, shown);
        trace.workload.check(&open(&later).unwrap(), shown, shown);
        ahead += usize::from(shown > least);
    });
    assert!(ahead > 0, "no kill came between the writes of a commit and its sync");
}

#[test]
fn a_kill_or_loss_of_power_at_any_operation_of_the_open_after_it_loses_nothing() {
    let trace = Trace::record(setting("REDB_GROUPS_OF_RECOVERY", 10), 4);
    let mut random = Rng::with_seed(4);
    let mut cases = 0;
    trace.each(|done, image, durable, unsynced| {
        for first in [image.to_vec(), lose_power(durable, unsynced, &mut random)] {
            let recovery = trace.check(&first, done);
            let (mut again, mut durable, mut synced) = (first.clone(), first.clone(), 0);
            for (at, operation) in recovery.iter().enumerate() {
                trace.check(&again, done);
                trace.check(&lose_power(&durable, &recovery[synced..at], &mut random), done);
                cases += 2;
                operation.apply(&mut again);
                if matches!(operation, Operation::Sync) {
                    durable.clone_from(&again);
                    synced = at + 1;
                }
            }
        }
    });
    println!("{cases} second opens");
}

#[test]
fn after_a_clean_end_nothing_is_recovered() {
    let trace = Trace::record(40, 5);
    let mut last = Vec::new();
    trace.each(|_, image, _, _| last = image.to_vec());
    let disk = Disk::new(last);
    // redb tells of a recovery by a callback only, so it is refused here.
    let read_only = redb::Database::builder().open_read_only_with_backend(disk.clone());
    assert!(read_only.is_ok(), "the end was not clean");
    trace.workload.check(&open(&disk).unwrap(), 40, 40);
}
