//! Folders in use, damaged, newer, or left half cleared.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use price_cache_domain::{PlanPageKey, Run, RunId, Store, StoreError};
use price_cache_storage_sled::{OpenError, RecordKey, SledStore};
use price_cache_testkit::{block_on, product};
use tempfile::TempDir;

use crate::sample::{all_numbers, fill, id, one, open, options, priced, us};

/// How long a lock may be held by a program that is being started.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

fn generation(folder: &Path) -> PathBuf {
    folder.join("generation-000001")
}

/// Changes the closed database behind the store's back.
pub(crate) fn tamper(folder: &Path, change: impl FnOnce(&sled::Db)) {
    // A program that another test starts at this moment holds the lock too, until it has begun.
    let deadline = Instant::now() + LOCK_PATIENCE;
    let db = loop {
        match sled::open(generation(folder)) {
            Err(sled::Error::Io(_)) if Instant::now() < deadline => std::thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    change(&db);
    db.flush().unwrap();
}

#[test]
fn a_second_store_on_the_folder_is_refused_in_one_sentence() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path());
    fill(&first, 0..10);
    let refused = SledStore::open(options(folder.path())).unwrap_err();
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
    assert_eq!(all_numbers(&open(folder.path())).len(), 20);
}

#[test]
fn a_damaged_snapshot_is_moved_aside_and_nothing_is_lost() {
    let contents: [&[u8]; 3] = [b"", b"abc", &[7; 5_000]];
    for (round, content) in (1_u32..).zip(contents) {
        let folder = TempDir::new().unwrap();
        fill(&open(folder.path()), 0..3_000);
        // Opening writes the snapshot.
        drop(open(folder.path()));
        let is_snapshot = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("snap.");
        let files = fs::read_dir(generation(folder.path())).unwrap().map(|item| item.unwrap().path());
        let snapshots: Vec<PathBuf> = files.filter(is_snapshot).collect();
        assert!(!snapshots.is_empty());
        for snapshot in &snapshots {
            fs::write(snapshot, content).unwrap();
        }
        let store = open(folder.path());
        assert_eq!(all_numbers(&store), (0..3_000).collect::<Vec<_>>(), "round {round}");
        let moved = folder.path().join("damaged-1").join(snapshots[0].file_name().unwrap());
        assert_eq!(fs::read(moved).unwrap(), content, "round {round}");
    }
}

#[test]
fn a_newer_layout_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    fill(&open(folder.path()), 0..10);
    let set_format = |format: u32| {
        tamper(folder.path(), |db| {
            db.open_tree("meta").unwrap().insert("format", &format.to_be_bytes()).unwrap();
        });
    };
    set_format(2);
    let refused = SledStore::open(options(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::NewerFormat { found: 2, supported: 1, .. }), "{refused}");
    set_format(1);
    assert_eq!(all_numbers(&open(folder.path())).len(), 10);
}

#[test]
fn damaged_and_newer_records_are_named_and_the_others_stay_readable() {
    let folder = TempDir::new().unwrap();
    fill(&open(folder.path()), 0..10);
    tamper(folder.path(), |db| {
        let entries = db.open_tree("entries").unwrap();
        entries.insert("US\0p000003", &[1, 0xff]).unwrap();
        entries.insert("US\0p000005", &[9, 1, 2, 3]).unwrap();
        entries.insert("no separator", &[]).unwrap();
    });
    let store = open(folder.path());
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
    assert_eq!(verified.problems[0].key, RecordKey::entry(&us(), &id(3)));
    // A new record heals the place.
    fill(&store, 3..6);
    assert_eq!(block_on(store.verify()).unwrap().problems_total, 1);
}

#[test]
fn what_a_crash_left_of_a_reset_is_finished_when_opened() {
    let page = PlanPageKey { run: RunId::from_number(1), list: 0, page: 0 };
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    fill(&store, 0..10);
    block_on(store.save_plan_page(page, vec![product("a")])).unwrap();
    drop(store);
    // A crash while the next generation was made: it never counted.
    let making = folder.path().join("generation-000002.making");
    fs::create_dir(&making).unwrap();
    fs::write(making.join("db"), "half").unwrap();
    assert_eq!(all_numbers(&open(folder.path())).len(), 10);
    assert!(!making.exists());
    // A crash after a clear that keeps prices had begun.
    tamper(folder.path(), |db| {
        db.open_tree("meta").unwrap().insert("clearing", &[]).unwrap();
    });
    let store = open(folder.path());
    assert_eq!(block_on(store.plan_page(page)), Ok(None));
    assert_eq!(all_numbers(&store).len(), 10);
    drop(store);
    // A crash after the next generation got its name, before the earlier one was deleted.
    let other = TempDir::new().unwrap();
    drop(open(other.path()));
    fs::rename(generation(other.path()), folder.path().join("generation-000002")).unwrap();
    let store = open(folder.path());
    assert_eq!(all_numbers(&store), [] as [u32; 0]);
    assert_eq!(block_on(store.load_run()), Ok(Run::new()));
    assert!(!generation(folder.path()).exists());
}
