//! What a store owes to entries: order of writes, durability, lookup.

use std::sync::Arc;

use price_cache_domain::{Entry, MarketId, ProductId, Store};

use super::Harness;
use super::samples::{ODD_IDS, done, failed, priced, record};
use crate::{block_on, market, product};

async fn one(store: &dyn Store, market: &MarketId, id: &ProductId) -> Option<Entry> {
    let mut found = done("entries_of", store.entries_of(market, std::slice::from_ref(id))).await;
    assert_eq!(found.len(), 1, "one answer for one id");
    found.remove(0)
}

/// Writes to one pair take effect in the order of the calls, even when their futures are awaited in
/// another order or not at all; an acknowledged entry is readable.
pub async fn the_last_record_of_a_pair_wins(harness: &dyn Harness) {
    let store = harness.open().await;
    let (us, a) = (market("US"), product("a"));
    let mut futures: Vec<_> = (0..50).map(|number| store.record(&us, &a, priced(number))).collect();
    let last = futures.pop();
    let dropped = futures.split_off(25);
    drop(dropped);
    if let Some(last) = last {
        done("record", last).await;
    }
    assert_eq!(one(&*store, &us, &a).await, Some(priced(49)));
    for earlier in futures {
        done("record", earlier).await;
    }
    assert_eq!(one(&*store, &us, &a).await, Some(priced(49)));
    record(&*store, &us, &a, &failed(1)).await;
    assert_eq!(one(&*store, &us, &a).await, Some(failed(1)));
    let store = harness.reopen(store).await;
    assert_eq!(one(&*store, &us, &a).await, Some(failed(1)), "after reopening");
}

/// What was acknowledged is there when the store is opened again.
pub async fn records_survive_reopening(harness: &dyn Harness) {
    let store = harness.open().await;
    let us = market("US");
    let products: Vec<ProductId> = (0..2_000).map(|number| product(&format!("p{number}"))).collect();
    let futures: Vec<_> =
        (0_u32..).zip(&products).map(|(number, id)| store.record(&us, id, priced(number))).collect();
    for future in futures {
        done("record", future).await;
    }
    let store = harness.reopen(store).await;
    let found = done("entries_of", store.entries_of(&us, &products)).await;
    let expected: Vec<_> = (0_u32..2_000).map(|number| Some(priced(number))).collect();
    assert_eq!(found, expected);
}

/// Pairs whose ids look alike when they are run together do not touch each other.
pub async fn records_are_independent_of_each_other(harness: &dyn Harness) {
    let store = harness.open().await;
    let pairs = [("a", "bc"), ("ab", "c"), ("a", "b"), ("a ", "b"), ("a", " b"), ("A", "b"), ("b", "a")];
    for (number, (market_id, product_id)) in (0_u32..).zip(pairs) {
        record(&*store, &market(market_id), &product(product_id), &priced(number)).await;
    }
    for (number, (market_id, product_id)) in (0_u32..).zip(pairs) {
        let found = one(&*store, &market(market_id), &product(product_id)).await;
        assert_eq!(found, Some(priced(number)), "{market_id:?} {product_id:?}");
    }
}

/// `entries_of` answers in the order of the question: `None` for what is missing, twice for what is asked
/// twice, and nothing for no question.
pub async fn entries_of_keeps_the_order_and_says_what_is_missing(harness: &dyn Harness) {
    let store = harness.open().await;
    let us = market("US");
    for (number, id) in (0_u32..).zip(ODD_IDS) {
        record(&*store, &us, &product(id), &priced(number)).await;
    }
    let mut question: Vec<ProductId> = ODD_IDS.iter().rev().map(|id| product(id)).collect();
    question.insert(3, product("never recorded"));
    question.push(product(ODD_IDS[0]));
    let mut expected: Vec<_> = (0_u32..).zip(ODD_IDS).map(|(number, _)| Some(priced(number))).collect();
    expected.reverse();
    expected.insert(3, None);
    expected.push(Some(priced(0)));
    assert_eq!(done("entries_of", store.entries_of(&us, &question)).await, expected);
    assert_eq!(done("entries_of", store.entries_of(&us, &[])).await, []);
    let elsewhere = done("entries_of", store.entries_of(&market("DE"), &question)).await;
    assert!(elsewhere.iter().all(Option::is_none) && elsewhere.len() == question.len());
}

/// A page of a plan is looked up at once, whatever order it has.
pub async fn entries_of_many_products_are_all_found(harness: &dyn Harness) {
    let store = harness.open().await;
    let us = market("US");
    // 7 and 500 have no common factor: every number comes once, in an order unlike that of the ids.
    let numbers: Vec<u32> = (0..500_u32).map(|index| index * 7 % 500).collect();
    let products: Vec<ProductId> = numbers.iter().map(|number| product(&format!("{number}"))).collect();
    for (number, id) in numbers.iter().zip(&products).filter(|(number, _)| **number % 3 != 0) {
        done("record", store.record(&us, id, priced(*number))).await;
    }
    let found = done("entries_of", store.entries_of(&us, &products)).await;
    let expected: Vec<_> = numbers.iter().map(|number| (number % 3 != 0).then(|| priced(*number))).collect();
    assert_eq!(found, expected);
}

/// Writers on several threads, to the same market and to others, lose nothing; readers meanwhile see
/// whole entries.
pub async fn concurrent_writers_do_not_lose_writes(harness: &dyn Harness) {
    const WRITERS: u32 = 4;
    const EACH: u32 = 200;
    let store = harness.open().await;
    let market_of = |writer: u32| market(if writer.is_multiple_of(2) { "shared" } else { "other" });
    let id_of = |writer: u32, number: u32| product(&format!("{writer}-{number:03}"));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = Arc::clone(&store);
            scope.spawn(move || {
                let pending: Vec<_> = (0..EACH)
                    .map(|number| store.record(&market_of(writer), &id_of(writer, number), priced(number)))
                    .collect();
                for future in pending {
                    block_on(done("record", future));
                }
            });
        }
        let page = block_on(done("entries", store.entries(&market("shared"), None, 1_000)));
        for (id, entry) in page {
            assert_eq!(entry.price, priced_like(&id).price, "{id}");
        }
    });
    let store = harness.reopen(store).await;
    for writer in 0..WRITERS {
        for number in 0..EACH {
            let found = one(&*store, &market_of(writer), &id_of(writer, number)).await;
            assert_eq!(found, Some(priced(number)), "writer {writer}, number {number}");
        }
    }
}

/// The entry that the writer of an id wrote.
fn priced_like(id: &ProductId) -> Entry {
    let number = id.as_str().rsplit('-').next().and_then(|number| number.parse().ok());
    priced(number.unwrap_or_else(|| panic!("{id} is not an id of this test")))
}
