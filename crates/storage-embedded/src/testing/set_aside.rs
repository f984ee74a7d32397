//! Records that are taken out: a copy first, exactly those, and durable.

use std::fs;

use crate::{Backend, Table};
use price_cache_domain::{PlanPageKey, RecordKey, Run, RunId, Store, StoreMaintenance};
use price_cache_testkit::{block_on, product};
use tempfile::TempDir;

use super::damage::tamper;
use super::sample::{all_numbers, fill, id, open, us};

/// See the name.
pub fn what_is_set_aside_is_in_the_file_and_not_in_the_store<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let store = open::<B>(folder.path());
    fill(&store, 0..5);
    let file = block_on(store.set_aside(vec![store.entry_key(&us(), &id(3))], None)).unwrap();
    assert_eq!(file, folder.path().join("set-aside-1.jsonl"));
    let more = block_on(store.set_aside(vec![store.entry_key(&us(), &id(1))], Some(file.clone()))).unwrap();
    assert_eq!(more, file);
    drop(store);
    let store = open::<B>(folder.path());
    assert_eq!(all_numbers(&store), [0, 2, 4]);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    // US, NUL, p000003; the value begins with the format version.
    let begin = "{\"tree\":\"entries\",\"key\":\"55530070303030303033\",\"value\":\"02";
    assert!(lines[0].starts_with(begin) && lines[0].ends_with("\"}"), "{text}");
    // A later repair has a file of its own.
    let next = block_on(store.set_aside(vec![store.entry_key(&us(), &id(0))], None)).unwrap();
    assert_eq!(next, folder.path().join("set-aside-2.jsonl"));
}

/// See the name.
pub fn a_plan_page_and_the_run_are_taken_out_whole_and_alone<B: Backend>() {
    let folder = TempDir::new().unwrap();
    let page = |page| PlanPageKey { run: RunId::from_number(7), list: 0, page };
    // So long that it takes more than one chunk.
    let products: Vec<_> = (0..800).map(|number| product(&format!("product-{number:07}"))).collect();
    let store = open::<B>(folder.path());
    for number in 0..2 {
        block_on(store.save_plan_page(page(number), products.clone())).unwrap();
    }
    drop(store);
    // A key that is the beginning of others, and none of this program's.
    tamper::<B>(folder.path(), &[(Table::Plans, &[0; 8], Some(b"odd"))]);
    let store = open::<B>(folder.path());
    let odd = block_on(store.verify()).unwrap().problems.remove(0);
    assert_eq!(odd.key, RecordKey::PlanPage(vec![0; 8]));
    let whole = RecordKey::PlanPage([&7_u64.to_be_bytes()[..], &[0; 8]].concat());
    let file = block_on(store.set_aside(vec![odd.key, whole, RecordKey::Run], None)).unwrap();
    assert_eq!(block_on(store.plan_page(page(0))), Ok(None));
    assert_eq!(block_on(store.plan_page(page(1))), Ok(Some(products)));
    assert_eq!(block_on(store.load_run()), Ok(Run::new()));
    assert_eq!(block_on(store.verify()).unwrap().problems_total, 0);
    let text = fs::read_to_string(file).unwrap();
    let of = |tree: &str| text.lines().filter(|line| line.contains(&format!("\"tree\":\"{tree}\""))).count();
    assert_eq!((of("plans"), of("meta"), of("entries")), (1 + 1, 1, 0), "{text}");
}
