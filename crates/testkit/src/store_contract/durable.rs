//! What a store owes to readers while records are on their way to the disk.

use price_cache_domain::{Entry, ProductId, Store};

use super::Harness;
use super::samples::{done, priced, record};
use crate::{market, product};

/// Reads everything of a market in each way there is, and checks that all ways agree.
async fn shown(store: &dyn Store, ids: &[ProductId]) -> Vec<Option<Entry>> {
    let us = market("US");
    let asked = done("entries_of", store.entries_of(&us, ids)).await;
    let listed = done("entries", store.entries(&us, None, 1_000)).await;
    let mut paged = Vec::new();
    // A page of one: what is not shown must not shorten a page.
    while let Some((id, entry)) =
        done("entries", store.entries(&us, paged.last().map(|(id, _)| id), 1)).await.pop()
    {
        paged.push((id, entry));
    }
    assert_eq!(listed, paged, "pages of one and a page of all");
    let found: Vec<_> =
        ids.iter().zip(&asked).filter_map(|(id, entry)| Some((id.clone(), entry.clone()?))).collect();
    assert_eq!(found, listed, "lookup and list");
    asked
}

/// While a record is on its way to the disk, each read gives at once what was there before it.
pub async fn an_unsynced_record_is_not_shown_and_keeps_no_reader_waiting(harness: &dyn Harness) {
    let (store, hold) = harness.open_slow().await;
    let us = market("US");
    let ids: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|id| product(id)).collect();
    for (id, number) in ids.iter().zip(0..).step_by(2) {
        record(&*store, &us, id, &priced(number)).await;
    }
    let before = [Some(priced(0)), None, Some(priced(2)), None, Some(priced(4))];
    hold.hold();
    let writes: Vec<_> =
        ids.iter().zip(10..).map(|(id, number)| store.record(&us, id, priced(number))).collect();
    // The same pair twice in what may be one group.
    let again = store.record(&us, &ids[2], priced(20));
    store.flush();
    hold.wait_until_held();
    for _ in 0..3 {
        assert_eq!(shown(&*store, &ids).await, before);
    }
    hold.release();
    for write in writes {
        done("record", write).await;
    }
    done("record", again).await;
    let after: Vec<_> = [10, 11, 20, 13, 14].map(|number| Some(priced(number))).into();
    assert_eq!(shown(&*store, &ids).await, after);
    let store = harness.reopen(store).await;
    assert_eq!(shown(&*store, &ids).await, after, "after reopening");
}

/// A market whose first record is on its way is not listed yet.
pub async fn a_new_market_is_shown_once_it_is_durable(harness: &dyn Harness) {
    let (store, hold) = harness.open_slow().await;
    let (us, de, a) = (market("US"), market("DE"), product("a"));
    record(&*store, &us, &a, &priced(1)).await;
    hold.hold();
    let write = store.record(&de, &a, priced(2));
    store.flush();
    hold.wait_until_held();
    assert_eq!(done("markets", store.markets()).await, std::slice::from_ref(&us));
    assert_eq!(done("entries", store.entries(&de, None, 10)).await, []);
    hold.release();
    done("record", write).await;
    assert_eq!(done("markets", store.markets()).await, [de, us]);
}
