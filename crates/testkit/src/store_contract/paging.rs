//! What a store owes to those who walk its entries page by page.

use std::sync::Arc;

use price_cache_domain::{MarketId, ProductId, Store};

use super::Harness;
use super::samples::{ODD_IDS, done, priced, record};
use crate::{market, product};

/// The ids of a page.
async fn page(
    store: &dyn Store,
    market: &MarketId,
    after: Option<&ProductId>,
    limit: usize,
) -> Vec<ProductId> {
    done("entries", store.entries(market, after, limit)).await.into_iter().map(|(id, _)| id).collect()
}

async fn filled(harness: &dyn Harness, pairs: &[(&str, &str)]) -> Arc<dyn Store> {
    let store = harness.open().await;
    for (number, (market_id, product_id)) in (0_u32..).zip(pairs) {
        record(&*store, &market(market_id), &product(product_id), &priced(number)).await;
    }
    store
}

/// Walking by pages of any size gives every entry once, in the order of the bytes of ids.
pub async fn pages_follow_the_bytes_of_ids(harness: &dyn Harness) {
    let mut ids: Vec<String> = ODD_IDS.iter().map(|id| (*id).to_owned()).collect();
    ids.extend(
        ["a", "aa", "a ", "b", "B", "Z", "é", "~", "\u{7ff}", "\u{800}", "\u{ffff}", "10", "9"]
            .map(str::to_owned),
    );
    ids.push("z".repeat(512));
    let pairs: Vec<(&str, &str)> = ids.iter().map(|id| ("US", id.as_str())).collect();
    let store = filled(harness, &pairs).await;
    let us = market("US");
    let mut expected: Vec<ProductId> = ids.iter().map(|id| product(id)).collect();
    expected.sort_by(|left, right| left.as_str().as_bytes().cmp(right.as_str().as_bytes()));
    for limit in [1, 2, 3, 7, 10, 100] {
        let mut walked: Vec<ProductId> = Vec::new();
        loop {
            let next = page(&*store, &us, walked.last(), limit).await;
            if next.is_empty() {
                break;
            }
            walked.extend(next);
        }
        assert_eq!(walked, expected, "by pages of {limit}");
    }
}

/// `after` need not exist: a page begins with the first entry beyond it.
pub async fn a_page_begins_after_ids_that_do_not_exist(harness: &dyn Harness) {
    let store = filled(harness, &[("US", "b"), ("US", "ba"), ("US", "d")]).await;
    let us = market("US");
    for (after, expected) in [
        ("a", ["b", "ba", "d"].as_slice()),
        ("b", &["ba", "d"]),
        ("b ", &["ba", "d"]),
        ("b!", &["ba", "d"]),
        ("c", &["d"]),
        ("d", &[]),
        ("\u{10ffff}", &[]),
    ] {
        let expected: Vec<ProductId> = expected.iter().map(|id| product(id)).collect();
        assert_eq!(page(&*store, &us, Some(&product(after)), 10).await, expected, "after {after:?}");
    }
}

/// A page has as many entries as its limit, as long as there are; with limit 0, none.
pub async fn a_page_has_at_most_its_limit(harness: &dyn Harness) {
    let store = filled(harness, &[("US", "a"), ("US", "b"), ("US", "c")]).await;
    let us = market("US");
    for (limit, expected) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (usize::MAX, 3)] {
        assert_eq!(page(&*store, &us, None, limit).await.len(), expected, "limit {limit}");
        let beyond = page(&*store, &us, Some(&product("a")), limit).await;
        assert_eq!(beyond.len(), expected.min(2), "limit {limit} after the first");
    }
    assert_eq!(page(&*store, &market("DE"), None, 10).await, []);
}

/// A page holds entries of its market alone, also where the market's id is the beginning of another's.
pub async fn a_page_stays_within_its_market(harness: &dyn Harness) {
    let markets = ["U", "US", "US ", "US-west", "USA", "UT", "us"];
    let pairs: Vec<(&str, &str)> = markets.iter().map(|id| (*id, *id)).collect();
    let store = filled(harness, &pairs).await;
    for id in markets {
        assert_eq!(page(&*store, &market(id), None, 10).await, [product(id)], "market {id:?}");
        assert_eq!(page(&*store, &market(id), Some(&product(id)), 10).await, [], "market {id:?}");
    }
}

/// Each market that has an entry is listed once, in the order of the bytes of ids, also after reopening.
pub async fn markets_are_sorted_and_appear_once(harness: &dyn Harness) {
    let ids = ["US ", "U", "é", "US", "\u{10ffff}", "USA", "a", "Z", "US-west", "10", "9"];
    let pairs: Vec<(&str, &str)> =
        ids.iter().flat_map(|id| ["x", "y", "\u{10ffff}"].map(|other| (*id, other))).collect();
    let store = filled(harness, &pairs).await;
    let mut expected: Vec<MarketId> = ids.iter().map(|id| market(id)).collect();
    expected.sort_by(|left, right| left.as_str().as_bytes().cmp(right.as_str().as_bytes()));
    assert_eq!(done("markets", store.markets()).await, expected);
    let store = harness.reopen(store).await;
    assert_eq!(done("markets", store.markets()).await, expected, "after reopening");
}
