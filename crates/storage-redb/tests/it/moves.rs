//! Moving a store from sled to redb and back: the same records, the same run, and nothing half moved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use price_cache_domain::{
    Attempt, Entry, Fetched, PlanPageKey, Quote, RunId, Store, StoreMaintenance, Timestamp, Visit,
};
use price_cache_storage_embedded::{
    Backend, EmbeddedStore, OpenError, copy_folder, move_store, newest_database,
};
use price_cache_storage_redb::RedbDatabase;
use price_cache_storage_sled::SledDatabase;
use price_cache_testkit::{block_on, market, price, product};
use tempfile::TempDir;

const PRODUCTS: u32 = 3_000;
const PAGE: PlanPageKey = PlanPageKey { run: RunId::from_number(7), list: 0, page: 0 };

fn entry(number: u32) -> Entry {
    let attempt = Attempt {
        at: Timestamp::from_millis(1_767_225_600_000),
        duration: std::time::Duration::from_millis(5),
        status_code: Some(200),
        failure: None,
    };
    let quote = Quote { price: price(&format!("{number}.90"), "EUR"), etag: Some(format!("\"{number}\"")) };
    Entry::priced(None, Visit::first(RunId::from_number(7), 1), None, attempt, Fetched::Price(quote))
}

fn open<B: Backend>(folder: &Path) -> EmbeddedStore<B> {
    EmbeddedStore::open(price_cache_storage_redb::options(folder)).unwrap()
}

fn filled<B: Backend>() -> TempDir {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    let writes: Vec<_> = (0..PRODUCTS)
        .map(|number| {
            let id = if number % 2 == 0 { "DE" } else { "US" };
            store.record(&market(id), &product(&format!("p{number}")), entry(number))
        })
        .collect();
    writes.into_iter().for_each(|write| block_on(write).unwrap());
    block_on(store.save_plan_page(PAGE, vec![product("p1")])).unwrap();
    folder
}

/// Everything that readers can see.
fn export(store: &dyn StoreMaintenance) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for market in block_on(store.markets()).unwrap() {
        for (product, entry) in block_on(store.entries(&market, None, usize::MAX)).unwrap() {
            found.insert(format!("{market} {product}"), format!("{entry:?}"));
        }
    }
    found.insert("page".to_owned(), format!("{:?}", block_on(store.plan_page(PAGE)).unwrap()));
    found.insert("run".to_owned(), format!("{:?}", block_on(store.load_run()).unwrap()));
    assert_eq!(block_on(store.verify()).unwrap().loss, None);
    found
}

fn moved<A: Backend, B: Backend>(folder: &Path) {
    let options = price_cache_storage_redb::options(folder);
    let moved = move_store::<A, B>(&options, &options).unwrap();
    assert_eq!((moved.entries, moved.plan_pages), (u64::from(PRODUCTS), 1));
}

#[test]
fn a_store_is_the_same_after_moving_there_and_back() {
    let folder = filled::<SledDatabase>();
    let before = export(&open::<SledDatabase>(folder.path()));
    assert_eq!(before.len(), PRODUCTS as usize + 2);
    moved::<SledDatabase, RedbDatabase>(folder.path());
    assert!(RedbDatabase::is_in(&newest_database(folder.path()).unwrap().unwrap()));
    assert_eq!(export(&open::<RedbDatabase>(folder.path())), before);
    let refused = EmbeddedStore::<SledDatabase>::open(price_cache_storage_redb::options(folder.path()));
    assert!(matches!(refused, Err(OpenError::OtherKind { .. })));
    moved::<RedbDatabase, SledDatabase>(folder.path());
    assert_eq!(export(&open::<SledDatabase>(folder.path())), before);
}

#[test]
fn what_a_killed_move_left_is_done_again_or_cleared_away() {
    let folder = filled::<SledDatabase>();
    let before = export(&open::<SledDatabase>(folder.path()));
    let present = newest_database(folder.path()).unwrap().unwrap();
    // Killed before the new database had its name: the old one counts.
    let making = folder.path().join("generation-000099.making");
    fs::create_dir(&making).unwrap();
    fs::write(making.join("store.redb"), "half").unwrap();
    assert_eq!(export(&open::<SledDatabase>(folder.path())), before);
    assert!(!making.exists());
    // Killed after it had its name and before the old one was deleted: the new one counts.
    let kept = TempDir::new().unwrap();
    let present = if present.exists() { present } else { newest_database(folder.path()).unwrap().unwrap() };
    copy_folder(&present, &kept.path().join("old")).unwrap();
    moved::<SledDatabase, RedbDatabase>(folder.path());
    copy_folder(&kept.path().join("old"), &present).unwrap();
    assert_eq!(export(&open::<RedbDatabase>(folder.path())), before);
    assert!(!present.exists());
}

#[test]
fn a_folder_without_a_store_is_not_moved() {
    let folder = TempDir::new().unwrap();
    let options = price_cache_storage_redb::options(folder.path().join("none"));
    let refused = move_store::<SledDatabase, RedbDatabase>(&options, &options).unwrap_err();
    assert!(matches!(refused, OpenError::Absent { .. }), "{refused}");
    assert!(!folder.path().join("none").exists());
}
