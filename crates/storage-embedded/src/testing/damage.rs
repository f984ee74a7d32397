//! Folders in use, damaged, newer, or left half cleared.

use std::fs;
use std::path::{Path, PathBuf};

use price_cache_domain::{PlanPageKey, Run, RunId, Store, StoreError, StoreMaintenance};
use price_cache_testkit::{block_on, product};
use tempfile::TempDir;

use super::sample::{all_numbers, fill, id, one, open, options, priced, us};
use crate::{Backend, BackendSettings, EmbeddedStore, OpenError, Table, newest_database};

fn generation(folder: &Path) -> PathBuf {
    newest_database(folder).unwrap().unwrap()
}

/// A change behind the store's back: a table, a key, and the value to put, or `None` to remove it.
pub(crate) type Change<'a> = (Table, &'a [u8], Option<&'a [u8]>);

/// Changes the closed database behind the store's back.
pub(crate) fn tamper<B: Backend>(folder: &Path, changes: &[Change<'_>]) {
    let settings = BackendSettings { cache_bytes: 1024 * 1024, before_commit: None };
    let database = B::open(&generation(folder), &settings).unwrap();
    let change = &mut |group: &mut dyn crate::WriteGroup| {
        for (table, key, value) in changes {
            match value {
                Some(value) => group.put(*table, key, value)?,
                None => group.remove(*table, key)?,
            };
        }
        Ok(())
    };
    database.write(change).unwrap();
    database.close().unwrap();
}

/// See the name.
pub fn a_second_store_on_the_folder_is_refused_in_one_sentence<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let first = open::<B>(folder.path());
    fill(&first, 0..10);
    let refused = EmbeddedStore::<B>::open(options(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "{} is in use by another price-cache process: stop that one, or choose another folder",
            folder.path().display()
        )
    );
    fill(&first, 10..20);
    drop(first);
    assert_eq!(all_numbers(&open::<B>(folder.path())).len(), 20);
}

/// See the name.
pub fn a_newer_layout_is_refused_and_left_alone<B: Backend>() {
    let folder = TempDir::new().unwrap();
    fill(&open::<B>(folder.path()), 0..10);
    let set_format = |format: u32| {
        tamper::<B>(folder.path(), &[(Table::Meta, b"format", Some(&format.to_be_bytes()))]);
    };
    set_format(2);
    let refused = EmbeddedStore::<B>::open(options(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::NewerFormat { found: 2, supported: 1, .. }), "{refused}");
    set_format(1);
    assert_eq!(all_numbers(&open::<B>(folder.path())).len(), 10);
}

/// See the name.
pub fn damaged_and_newer_records_are_named_and_the_others_stay_readable<B: Backend>() {
    let folder = TempDir::new().unwrap();
    fill(&open::<B>(folder.path()), 0..10);
    let odd: [Change<'_>; 3] = [
        (Table::Entries, b"US\0p000003", Some(&[1, 0xff])),
        (Table::Entries, b"US\0p000005", Some(&[9, 1, 2, 3])),
        (Table::Entries, b"no separator", Some(&[])),
    ];
    tamper::<B>(folder.path(), &odd);
    let store = open::<B>(folder.path());
    let read = |number| block_on(store.entries_of(&us(), &[id(number)]));
    let damaged = read(3).unwrap_err();
    assert!(matches!(&damaged, StoreError::Damaged(what) if what.contains("\"p000003\" in market \"US\"")));
    assert_eq!(read(5), Err(StoreError::NewerFormat { found: 9, supported: 2 }));
    assert_eq!(one(&store, 4), Some(priced(4)));
    let verified = block_on(store.verify()).unwrap();
    assert_eq!((verified.entries, verified.problems_total), (11, 3));
    assert!(verified.problems[0].record.contains("p000003"), "{:?}", verified.problems);
    assert_eq!(
        verified.problems.iter().map(|problem| problem.is_newer).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(verified.problems[0].key, store.entry_key(&us(), &id(3)));
    // A new record heals the place.
    fill(&store, 3..6);
    assert_eq!(block_on(store.verify()).unwrap().problems_total, 1);
}

/// See the name.
pub fn what_a_crash_left_of_a_reset_is_finished_when_opened<B: Backend>() {
    let page = PlanPageKey { run: RunId::from_number(1), list: 0, page: 0 };
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..10);
    block_on(store.save_plan_page(page, vec![product("a")])).unwrap();
    drop(store);
    // A crash while the next generation was made: it never counted.
    let making = folder.path().join("generation-000009.making");
    fs::create_dir(&making).unwrap();
    fs::write(making.join("db"), "half").unwrap();
    assert_eq!(all_numbers(&open::<B>(folder.path())).len(), 10);
    assert!(!making.exists());
    // A crash after a clear that keeps prices had begun.
    tamper::<B>(folder.path(), &[(Table::Meta, b"clearing", Some(&[]))]);
    let store = open::<B>(folder.path());
    assert_eq!(block_on(store.plan_page(page)), Ok(None));
    assert_eq!(all_numbers(&store).len(), 10);
    drop(store);
    // A crash after the next generation got its name, before the earlier one was deleted.
    let other = TempDir::new().unwrap();
    drop(open::<B>(other.path()));
    let earlier = generation(folder.path());
    fs::rename(generation(other.path()), folder.path().join("generation-000077")).unwrap();
    let store = open::<B>(folder.path());
    assert_eq!(all_numbers(&store), [] as [u32; 0]);
    assert_eq!(block_on(store.load_run()), Ok(Run::new()));
    assert!(!earlier.exists());
}
