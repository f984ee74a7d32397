//! Stores that are looked at, killed, cut short and destroyed: what recovery may touch, and what it brings back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use price_cache_domain::{CopyOutcome, PlanPageKey, RunId, Store, StoreMaintenance, Timestamp};
use price_cache_testkit::{block_on, product};
use tempfile::TempDir;

use super::damage::tamper;
use super::sample::{all_numbers, fill, id, one, open, options, priced, run_with_plan, us};
use crate::{
    Backend, EmbeddedOptions, EmbeddedStore, FallbackCopyOptions, OpenError, Table, copy_folder,
    newest_database,
};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const HOUR_MS: i64 = 3_600_000;

/// All files below a folder with their contents.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for item in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if item.file_type().unwrap().is_dir() {
            found.extend(files(&item.path()));
        } else {
            found.insert(item.path(), fs::read(item.path()).unwrap());
        }
    }
    found
}

/// Returns a folder with the store as a kill leaves it: with the numbers, and without having been closed.
fn killed<B: Backend>(numbers: u32) -> TempDir {
    let (folder, left) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = open::<B>(folder.path());
    fill(&store, 0..numbers);
    copy_folder(folder.path(), left.path()).unwrap();
    left
}

/// Leaves nothing of the newest database.
fn destroy(folder: &Path) {
    for (path, content) in files(&newest_database(folder).unwrap().unwrap()) {
        fs::write(path, vec![0; content.len()]).unwrap();
    }
}

fn made<B: Backend>(store: &EmbeddedStore<B>, at: Timestamp) -> CopyOutcome {
    block_on(store.make_fallback_copy(at, None)).unwrap()
}

/// See the name.
pub fn a_look_reads_everything_and_changes_no_byte<B: Backend>() {
    let closed = TempDir::new().unwrap();
    fill(&open::<B>(closed.path()), 0..300);
    for folder in [closed, killed::<B>(300)] {
        let before = files(folder.path());
        let look = EmbeddedStore::<B>::look(options(folder.path())).unwrap();
        assert_eq!(all_numbers(&look), (0..300).collect::<Vec<_>>());
        let verified = block_on(look.verify()).unwrap();
        assert_eq!((verified.entries, verified.problems_total, verified.loss), (300, 0, None));
        assert!(block_on(look.record(&us(), &id(1), priced(1))).is_err(), "it cannot be written to");
        drop(look);
        assert!(files(folder.path()) == before, "a look changed something");
        assert_eq!(all_numbers(&open::<B>(folder.path())), (0..300).collect::<Vec<_>>());
    }
    let nothing = TempDir::new().unwrap();
    let refused = EmbeddedStore::<B>::look(options(nothing.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Absent { .. }), "{refused}");
    assert!(files(nothing.path()).is_empty());
}

/// See the name.
pub fn a_look_at_a_destroyed_store_changes_no_byte_either<B: Backend>() {
    let folder = killed::<B>(300);
    destroy(folder.path());
    let before = files(folder.path());
    let refused = EmbeddedStore::<B>::look(options(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    let refused = EmbeddedStore::<B>::open(options(folder.path())).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    let database = newest_database(folder.path()).unwrap().unwrap();
    let of_database = |files: BTreeMap<PathBuf, Vec<u8>>| -> Vec<_> {
        files.into_iter().filter(|(path, _)| path.starts_with(&database)).collect()
    };
    assert!(of_database(files(folder.path())) == of_database(before), "the damaged files are all there is");
}

/// See the name.
pub fn a_copy_is_made_when_it_is_due_and_something_is_new<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..100);
    let CopyOutcome::Made(copy) = made(&store, NOW) else { panic!("the first copy is due") };
    assert_eq!((copy.made_at, copy.entries), (NOW, 100));
    assert_eq!(store.fallback_copy(), Some(copy));
    let later = |hours: i64| Timestamp::from_millis(NOW.as_millis() + hours * HOUR_MS);
    assert_eq!(made(&store, later(2)), CopyOutcome::NotDue, "nothing is new");
    fill(&store, 100..101);
    assert_eq!(made(&store, NOW), CopyOutcome::NotDue, "an hour has not passed");
    assert!(
        matches!(made(&store, later(-3)), CopyOutcome::Made(_)),
        "a clock that was ahead does not keep it"
    );
    drop(store);
    let small = FallbackCopyOptions { bytes_max: 100, ..FallbackCopyOptions::default() };
    let off = FallbackCopyOptions { is_on: false, ..FallbackCopyOptions::default() };
    for (copying, expected) in [(small, CopyOutcome::TooLarge), (off, CopyOutcome::Off)] {
        let options = EmbeddedOptions { fallback_copy: copying, ..options(folder.path()) };
        let store = EmbeddedStore::<B>::open(options).unwrap();
        fill(&store, 0..101);
        assert_eq!(made(&store, later(9)), expected);
        assert_eq!(store.fallback_copy().map(|copy| copy.entries), Some(101), "the one before stays");
    }
}

/// See the name.
pub fn a_destroyed_store_is_rebuilt_from_its_copy<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let run = RunId::from_number(7);
    let page = PlanPageKey { run, list: 0, page: 0 };
    let store = open::<B>(folder.path());
    fill(&store, 0..2_000);
    block_on(store.save_plan_page(page, vec![product("a"), product("b")])).unwrap();
    block_on(store.save_run(run_with_plan(run, 1))).unwrap();
    assert!(matches!(made(&store, NOW), CopyOutcome::Made(_)));
    fill(&store, 2_000..2_100);
    drop(store);
    destroy(folder.path());
    let destroyed = files(&newest_database(folder.path()).unwrap().unwrap());
    let store = open::<B>(folder.path());
    let sentence = store.rebuilt().unwrap();
    assert!(sentence.contains("2000 entries") && sentence.contains("2026-01-01T00:00:00Z"), "{sentence}");
    assert_eq!(all_numbers(&store), (0..2_000).collect::<Vec<_>>());
    assert_eq!(block_on(store.load_run()), Ok(run_with_plan(run, 1)));
    assert_eq!(block_on(store.plan_page(page)), Ok(Some(vec![product("a"), product("b")])));
    assert_eq!(block_on(store.verify()).unwrap().loss, None);
    let kept: Vec<_> = files(&folder.path().join("damaged-1")).into_values().collect();
    assert!(destroyed.into_values().all(|content| kept.contains(&content)), "the damaged files are kept");
    fill(&store, 2_000..2_001);
    drop(store);
    let store = open::<B>(folder.path());
    assert_eq!(all_numbers(&store).len(), 2_001);
    assert_eq!(store.rebuilt(), None, "once is enough");
}

/// See the name.
pub fn what_can_be_read_and_is_newer_is_taken_over<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..50);
    assert!(matches!(made(&store, NOW), CopyOutcome::Made(_)));
    // Written after the copy: a new product, and one that the copy has an older entry of.
    fill(&store, 50..60);
    block_on(store.record(&us(), &id(3), priced(333))).unwrap();
    drop(store);
    // An entry that cannot be read, and one that is gone.
    let lost = [
        (Table::Entries, &b"US\0p000007"[..], Some(&b"\x02odd"[..])),
        (Table::Entries, &b"US\0p000009"[..], None),
    ];
    tamper::<B>(folder.path(), &lost);
    let look = EmbeddedStore::<B>::look(options(folder.path())).unwrap();
    assert_eq!(block_on(look.verify()).unwrap().problems_total, 1);
    drop(look);
    let store = open::<B>(folder.path());
    assert!(store.rebuilt().is_some());
    assert_eq!(one(&store, 7), Some(priced(7)), "from the copy");
    assert_eq!(one(&store, 9), Some(priced(9)), "from the copy");
    assert_eq!(one(&store, 3), Some(priced(333)), "from the store");
    assert_eq!(all_numbers(&store).len(), 60);
    assert_eq!(block_on(store.verify()).unwrap().problems_total, 0);
}

/// See the name.
pub fn a_damaged_copy_gives_what_can_be_read_of_it<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..10_000);
    assert!(matches!(made(&store, NOW), CopyOutcome::Made(_)));
    drop(store);
    destroy(folder.path());
    let path = folder.path().join("fallback-copy");
    let whole = fs::read(&path).unwrap();
    for at in [whole.len() / 2, whole.len() - 40] {
        let copied = TempDir::new().unwrap();
        copy_folder(folder.path(), copied.path()).unwrap();
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(copied.path().join("fallback-copy"), damaged).unwrap();
        let store = open::<B>(copied.path());
        assert!(store.rebuilt().unwrap().contains("damaged itself"));
        let found = all_numbers(&store);
        assert!(!found.is_empty() && found.len() < 10_000, "{} entries", found.len());
        assert!(found.iter().all(|number| one(&store, *number) == Some(priced(*number))));
    }
    // Without its header it is no copy.
    fs::write(&path, &whole[..20]).unwrap();
    assert!(matches!(EmbeddedStore::<B>::open(options(folder.path())), Err(OpenError::Damaged { .. })));
}

/// See the name.
pub fn missing_and_older_entries_are_noticed<B: Backend>() {
    let older = TempDir::new().unwrap();
    let store = open::<B>(older.path());
    fill(&store, 0..20);
    block_on(store.record(&us(), &id(5), priced(555))).unwrap();
    drop(store);
    let value = price_cache_records::encode_entry(b"US\0p000005", &priced(5)).unwrap();
    tamper::<B>(older.path(), &[(Table::Entries, b"US\0p000005", Some(&value))]);
    let missing = TempDir::new().unwrap();
    fill(&open::<B>(missing.path()), 0..20);
    tamper::<B>(missing.path(), &[(Table::Entries, b"US\0p000005", None)]);
    for (folder, words) in [(older, "older"), (missing, "1 of 20 entries are missing")] {
        for _ in 0..2 {
            let store = open::<B>(folder.path());
            let loss = block_on(store.verify()).unwrap().loss.unwrap_or_default();
            assert!(loss.contains(words), "{loss:?} is told until somebody accepts it");
        }
        let store = open::<B>(folder.path());
        block_on(store.accept_loss()).unwrap();
        drop(store);
        assert_eq!(block_on(open::<B>(folder.path()).verify()).unwrap().loss, None);
    }
}

/// See the name.
pub fn a_cut_tail_is_noticed<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..20);
    drop(store);
    let earlier = TempDir::new().unwrap();
    copy_folder(folder.path(), earlier.path()).unwrap();
    fill(&open::<B>(folder.path()), 20..40);
    // The database of before under the watermark of after, as when its newest writes are cut off.
    let database = newest_database(folder.path()).unwrap().unwrap();
    fs::remove_dir_all(&database).unwrap();
    copy_folder(&newest_database(earlier.path()).unwrap().unwrap(), &database).unwrap();
    let look = EmbeddedStore::<B>::look(options(folder.path())).unwrap();
    let loss = block_on(look.verify()).unwrap().loss.unwrap_or_default();
    assert!(loss.contains("groups of writes are missing"), "{loss:?}");
    drop(look);
    let store = open::<B>(folder.path());
    assert_eq!(all_numbers(&store).len(), 20, "what is there is used");
    fill(&store, 20..21);
    assert_eq!(block_on(store.verify()).unwrap().loss, None, "it goes on from there");
}

/// See the name.
pub fn deleted_prices_do_not_come_back_from_a_copy<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..20);
    assert!(matches!(made(&store, NOW), CopyOutcome::Made(_)));
    block_on(store.clear(price_cache_domain::Run::new(), false)).unwrap();
    assert_eq!(store.fallback_copy(), None);
    fill(&store, 90..91);
    drop(store);
    destroy(folder.path());
    assert!(matches!(EmbeddedStore::<B>::open(options(folder.path())), Err(OpenError::Damaged { .. })));
}
