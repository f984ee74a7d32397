//! Files that killed starts leave beside a log: sled would take them for damage and lose the log.

use std::fs;
use std::path::{Path, PathBuf};

use price_cache_domain::{Attempt, Entry, Fetched, Quote, RunId, Store, StoreMaintenance, Timestamp, Visit};
use price_cache_storage_embedded::{copy_folder, newest_database};
use price_cache_storage_sled::{SledStore, options};
use price_cache_testkit::{block_on, market, price, product};
use tempfile::TempDir;

/// Around the sizes at which one log in two was lost: logs of one or two segments.
const SIZES: [u32; 5] = [1, 300, 800, 1_600, 3_000];

fn entry(number: u32) -> Entry {
    let attempt = Attempt {
        at: Timestamp::from_millis(1_767_225_600_000),
        duration: std::time::Duration::from_millis(5),
        status_code: Some(200),
        failure: None,
    };
    let quote = Quote { price: price(&format!("{number}.90"), "EUR"), etag: None };
    Entry::priced(None, Visit::first(RunId::from_number(7), 1), None, attempt, Fetched::Price(quote))
}

fn fill(store: &SledStore, count: u32) {
    let writes: Vec<_> = (0..count)
        .map(|number| store.record(&market("US"), &product(&format!("p{number}")), entry(number)))
        .collect();
    writes.into_iter().for_each(|write| block_on(write).unwrap());
}

/// Returns a store as a kill in the middle of an end-of-market retry leaves it.
fn killed(count: u32) -> TempDir {
    let (folder, left) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fill(&SledStore::open(options(folder.path())).unwrap(), count);
    let store = SledStore::open(options(folder.path())).unwrap();
    fill(&store, count / 2);
    copy_folder(folder.path(), left.path()).unwrap();
    left
}

fn snapshots(database: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(database).unwrap().map(|item| item.unwrap().path());
    files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect()
}

fn expect_all(folder: &Path, count: u32, context: &str) {
    for _ in 0..2 {
        let store = SledStore::open(options(folder)).unwrap();
        let found = block_on(store.entries(&market("US"), None, usize::MAX)).unwrap();
        assert_eq!(found.len(), count as usize, "{context}");
        let verified = block_on(store.verify()).unwrap();
        assert_eq!((verified.problems_total, verified.loss), (0, None), "{context}");
    }
}

#[test]
fn an_unfinished_snapshot_costs_nothing() {
    for count in SIZES {
        for leftover in ["empty", "half", "whole", "several", "older"] {
            let folder = killed(count);
            let database = newest_database(folder.path()).unwrap().unwrap();
            let content =
                snapshots(&database).first().map(|path| fs::read(path).unwrap()).unwrap_or_default();
            let make = |name: &str, content: &[u8]| fs::write(database.join(name), content).unwrap();
            match leftover {
                "empty" => make("snap.0000000000FFFFFF.generating", &[]),
                "half" => make("snap.0000000000FFFFFF.generating", &content[..content.len() / 2]),
                "whole" => make("snap.0000000000FFFFFF.generating", &content),
                "several" => {
                    make("snap.0000000000FFFFFF.generating", &[]);
                    make("snap.0000000000FFFFFE.generating", b"half");
                }
                _ => make("snap.0000000000000001.generating", b"half"),
            }
            let look = SledStore::look(options(folder.path())).unwrap();
            assert_eq!(block_on(look.verify()).unwrap().entries, u64::from(count), "{leftover} {count}");
            drop(look);
            expect_all(folder.path(), count, &format!("{leftover}, {count} records"));
        }
    }
}

#[test]
fn a_damaged_snapshot_costs_nothing_or_is_an_error_that_changes_nothing() {
    for count in SIZES {
        for content in [&b""[..], b"abc", &[7; 5_000]] {
            let folder = killed(count);
            let database = newest_database(folder.path()).unwrap().unwrap();
            for snapshot in snapshots(&database) {
                fs::write(snapshot, content).unwrap();
            }
            let log = fs::read(database.join("db")).unwrap();
            match SledStore::open(options(folder.path())) {
                Ok(store) => {
                    let verified = block_on(store.verify()).unwrap();
                    let is_told = verified.loss.is_some() || verified.entries == u64::from(count);
                    assert!(is_told, "{count}: {verified:?}");
                }
                Err(_) => {
                    assert!(fs::read(database.join("db")).unwrap() == log, "{count}: the log is untouched")
                }
            }
        }
    }
}

#[test]
fn a_damaged_snapshot_costs_nothing_where_there_is_a_copy() {
    for count in SIZES {
        let folder = TempDir::new().unwrap();
        let store = SledStore::open(options(folder.path())).unwrap();
        fill(&store, count);
        block_on(store.make_fallback_copy(Timestamp::from_millis(1), None)).unwrap();
        drop(store);
        let database = newest_database(folder.path()).unwrap().unwrap();
        for snapshot in snapshots(&database) {
            fs::write(snapshot, b"damaged").unwrap();
        }
        fs::write(database.join("snap.0000000000FFFFFF"), b"newer and damaged").unwrap();
        expect_all(folder.path(), count, &format!("{count} records"));
    }
}
