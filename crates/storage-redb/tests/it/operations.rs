//! Reading and writing against a model.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use price_cache_domain::StoreError;
use price_cache_storage_embedded::{Backend, BackendSettings, Table};
use price_cache_storage_redb::RedbDatabase;

use crate::disk::Disk;
use crate::workload::{Contents, Workload, contents, empty_image, open, settings};

#[test]
fn all_reads_agree_with_a_model_and_each_change_returns_the_value_before() {
    let workload = Workload::new(300, 11);
    let database = open(&Disk::default()).unwrap();
    let mut random = Rng::with_seed(11);
    for (number, group) in workload.groups.iter().enumerate() {
        let mut model = workload.states[number].clone();
        database
            .write(&mut |writer| {
                for (table, key, value) in group {
                    let before = match value {
                        Some(value) => model.insert((table.name(), key.clone()), value.clone()),
                        None => model.remove(&(table.name(), key.clone())),
                    };
                    let returned = match value {
                        Some(value) => writer.put(*table, key, value)?,
                        None => writer.remove(*table, key)?,
                    };
                    assert_eq!(returned, before);
                }
                Ok(())
            })
            .unwrap();
        assert!(contents(&database).unwrap() == model);
        check_reads(&database, &model, &mut random);
    }
}

fn check_reads(database: &RedbDatabase, model: &Contents, random: &mut Rng) {
    let mut key = || format!("market-{}\0{}", random.u8(0..5), random.u8(0..41)).into_bytes();
    let keys: Vec<Vec<u8>> = (0..5).map(|_| key()).collect();
    let borrowed: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let found = database.get_many(Table::Entries, &borrowed).unwrap();
    for (key, value) in keys.iter().zip(found) {
        assert_eq!(value.as_ref(), model.get(&(Table::Entries.name(), key.clone())));
    }
    let (from, to) = (key(), key());
    let mut scanned = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        scanned.push((key.to_vec(), value.to_vec()));
        Ok(if scanned.len() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    database.scan(Table::Entries, &from, Some(&to), &mut visit).unwrap();
    let of_table = model.iter().filter(|((table, _), _)| *table == Table::Entries.name());
    let expected: Vec<_> = of_table
        .map(|((_, key), value)| (key.clone(), value.clone()))
        .filter(|(key, _)| *key >= from && *key < to)
        .take(7)
        .collect();
    assert_eq!(scanned, expected);
}

#[test]
fn a_group_is_seen_once_it_is_durable_and_a_scan_is_one_moment() {
    let (reached, at_commit) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let (reached, wait) = (Mutex::new(reached), Mutex::new(wait));
    let before_commit = Arc::new(move || {
        reached.lock().unwrap().send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
    });
    let settings = BackendSettings { before_commit: Some(before_commit), ..settings() };
    let database = RedbDatabase::open_on(Disk::new(empty_image()), &settings).unwrap();
    let put = |value: &'static [u8]| {
        database.write(&mut |writer| {
            writer.put(Table::Entries, b"a", value)?;
            writer.put(Table::Entries, b"b", value).map(drop)
        })
    };
    go_on.send(()).unwrap();
    put(b"1").unwrap();
    at_commit.recv().unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| put(b"2"));
        at_commit.recv().unwrap();
        assert_eq!(database.get(Table::Entries, b"a").unwrap().unwrap(), b"1");
        let mut seen = Vec::new();
        let mut go_on = Some(go_on);
        database
            .scan(Table::Entries, b"", None, &mut |_, value| {
                seen.push(value.to_vec());
                // The group becomes durable in the middle of the scan.
                if let Some(go_on) = go_on.take() {
                    go_on.send(()).unwrap();
                    while database.get(Table::Entries, b"b").unwrap().unwrap() == b"1" {
                        std::thread::yield_now();
                    }
                }
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        assert_eq!(seen, [b"1", b"1"]);
        writer.join().unwrap().unwrap();
    });
    assert_eq!(database.get(Table::Entries, b"a").unwrap().unwrap(), b"2");
}

#[test]
fn a_group_that_fails_changes_nothing() {
    let disk = Disk::default();
    let database = open(&disk).unwrap();
    let failed = database.write(&mut |writer| {
        writer.put(Table::Entries, b"a", b"1")?;
        Err(StoreError::Closed)
    });
    assert_eq!(failed, Err(StoreError::Closed));
    assert_eq!(database.get(Table::Entries, b"a"), Ok(None));
    drop(database);
    assert!(contents(&open(&disk).unwrap()).unwrap().is_empty());
}

#[test]
fn a_large_group_and_large_values_are_one_group() {
    let disk = Disk::default();
    let database = open(&disk).unwrap();
    database.write(&mut |writer| writer.put(Table::Entries, b"0000", b"recent").map(drop)).unwrap();
    let work = &mut |writer: &mut dyn price_cache_storage_embedded::WriteGroup| {
        for number in 0..2_000_u32 {
            writer.put(Table::Entries, format!("{number:04}").as_bytes(), &[7; 1_000])?;
        }
        assert_eq!(writer.put(Table::Entries, b"0000", b"last")?, Some(vec![7; 1_000]));
        writer.put(Table::Plans, b"page", &vec![1; 3 << 20]).map(drop)
    };
    database.write(work).unwrap();
    // The file has its final length from here on.
    database.write(work).unwrap();
    let syncs =
        |disk: &Disk| disk.log().iter().filter(|done| matches!(done, crate::disk::Operation::Sync)).count();
    let before = syncs(&disk);
    database.write(work).unwrap();
    assert_eq!(syncs(&disk), before + 1);
    let found = contents(&database).unwrap();
    assert_eq!(found.len(), 2_001);
    assert_eq!(database.get(Table::Entries, b"0000").unwrap().unwrap(), b"last");
    assert_eq!(database.get(Table::Plans, b"page").unwrap().unwrap().len(), 3 << 20);
}
