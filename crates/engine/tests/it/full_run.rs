//! A run from start to COMPLETED, and the one after it.

use std::time::Duration;

use price_cache_domain::{FailureClass, Fault, Fetched, PLAN_PAGE_PRODUCTS_MAX, Quote, RunStatus};
use price_cache_engine::{Activity, audit};
use price_cache_testkit::{Operation, ScriptedSource, default_price, market, price, product, quote};

use super::harness::{Setup, counts, fault};

#[tokio::test(start_paused = true)]
async fn every_product_of_every_market_is_fetched_once_in_order_and_kept() {
    let source = ScriptedSource::new().with_numbered("US", 3).with_market("DE", &["x", "a  "]);
    let rig = Setup::new(source).open().await;
    let accepted = rig.start().await;
    assert_eq!((accepted.state, accepted.changed), (RunStatus::Initializing, true));
    let done = rig.until_status(RunStatus::Completed).await;

    let asked: Vec<_> =
        rig.setup.source.calls().iter().map(|call| format!("{}/{}", call.market, call.product)).collect();
    assert_eq!(asked, ["US/p0000", "US/p0001", "US/p0002", "DE/x", "DE/a  "]);
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((3, 3, 0), (2, 2, 0)));
    assert!(done.markets.iter().all(|market| market.activity == Activity::Done));
    let analytics = done.analytics();
    assert_eq!((analytics.requests, analytics.successful, analytics.failed), (5, 5, 0));
    assert_eq!(analytics.avg_time_per_request_ms(), 5.0);
    for ((market_id, product_id), entry) in rig.setup.entries() {
        let kept = entry.price.unwrap();
        assert_eq!(kept.price, default_price(&market(&market_id), &product(&product_id)));
        assert_eq!(Some(kept.run), done.run.latest_id());
    }
    assert!(audit(&rig.setup.store).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_price_is_kept_with_the_digits_it_came_with() {
    let source = ScriptedSource::new().with_market("US", &["a", "b", "c"]);
    source.script("US", "a", [Ok(quote("0.024000", "USD"))]);
    source.script("US", "b", [Ok(quote("123456789012345678.12", "USD"))]);
    source.script("US", "c", [Ok(quote("4e+06", "USD"))]);
    let rig = Setup::new(source).open().await;
    rig.whole_run().await;
    let mut kept = Vec::new();
    for id in ["a", "b", "c"] {
        let entry = rig.handle.reader().entry(&market("US"), &product(id)).await.unwrap().unwrap();
        kept.push(entry.price.unwrap().price.amount.as_str().to_owned());
    }
    assert_eq!(kept, ["0.024000", "123456789012345678.12", "4000000"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_is_stored_in_pages_and_walked_from_them() {
    let source = ScriptedSource::new().with_numbered("US", 2 * PLAN_PAGE_PRODUCTS_MAX + 1);
    source.set_page_size(70);
    let rig = Setup::new(source).open().await;
    rig.start().await;
    let planned = rig.until_status(RunStatus::Processing).await;
    assert_eq!(counts(&planned, "US").0, 1_001, "the total counts from the start of PROCESSING");
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (1_001, 1_001, 0));
    assert_eq!((rig.setup.store.plan_pages(), rig.setup.source.product_listings("US")), (3, 15));
    assert_eq!(rig.setup.store.operations_of(Operation::EntriesOf), 3, "a page of entries at a time");
}

#[tokio::test(start_paused = true)]
async fn duplicates_in_the_lists_are_dropped_within_and_across_pages() {
    let ids = ["a", "b", "a", "c", "b", "d", "a", "a", "e"];
    let source = ScriptedSource::new().with_market("US", &ids).with_market("DE", &["a"]);
    source.set_markets(&["US", "DE", "US"]);
    source.set_page_size(2);
    let rig = Setup::new(source).open().await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((5, 5, 0), (1, 1, 0)));
    assert_eq!(done.markets.len(), 2);
    assert_eq!(rig.setup.source.requests_total(), 6);
}

#[tokio::test(start_paused = true)]
async fn duplicates_far_apart_are_found_in_the_stored_pages() {
    let mut ids: Vec<_> = (0..1_200).map(|index| product(&format!("p{index}"))).collect();
    ids.extend([product("p0"), product("p1199"), product("new"), product("p600"), product("new")]);
    let source = ScriptedSource::new();
    source.set_products("US", ids);
    let rig = Setup::new(source).open().await;
    assert_eq!(counts(&rig.whole_run().await, "US"), (1_201, 1_201, 0));
    assert!(audit(&rig.setup.store).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_shared_by_all_markets_is_asked_for_once() {
    let source = ScriptedSource::new().with_numbered("US", 3).with_market("DE", &[]).with_market("FR", &[]);
    source.set_shared_lists(true);
    let rig = Setup::new(source).open().await;
    let done = rig.whole_run().await;
    let listings: Vec<_> = ["US", "DE", "FR"].map(|id| rig.setup.source.product_listings(id)).into();
    assert_eq!((listings, rig.setup.store.plan_pages()), (vec![1, 0, 0], 1));
    assert_eq!(counts(&done, "FR"), (3, 3, 0));
    assert_eq!(rig.setup.source.requests_total(), 9);
}

#[tokio::test(start_paused = true)]
async fn an_empty_market_is_done_at_once_and_a_run_of_empty_markets_completes() {
    let source = ScriptedSource::new().with_market("AQ", &[]).with_market("US", &["a"]);
    let rig = Setup::new(source.clone()).open().await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "AQ"), counts(&done, "US")), ((0, 0, 0), (1, 1, 0)));
    source.set_products("US", Vec::new());
    rig.start().await;
    let done = rig.until("the second run to end", |snapshot| {
        snapshot.run.status() == RunStatus::Completed && snapshot.analytics().total == 0
    });
    assert_eq!(done.await.analytics().completed_percent(), 0.0);
}

#[tokio::test(start_paused = true)]
async fn prices_stay_readable_while_a_new_run_fetches_them_again() {
    let source = ScriptedSource::new().with_market("US", &["a", "b"]);
    let rig = Setup::new(source.clone()).open().await;
    let first = rig.whole_run().await.run.latest_id();
    source.script("US", "a", [Ok(quote("1.00", "EUR"))]);
    source.hang("US", "b");
    rig.start().await;
    let second = rig.until_completed(1).await;
    assert!(second.run.latest_id() > first);
    assert_eq!(counts(&second, "US"), (2, 1, 0), "counters begin anew");
    let entry = async |id| rig.handle.reader().entry(&market("US"), &product(id)).await.unwrap().unwrap();
    assert_eq!(entry("a").await.price.unwrap().price, price("1.00", "EUR"));
    let old = entry("b").await.price.unwrap();
    assert_eq!((Some(old.run), old.price), (first, default_price(&market("US"), &product("b"))));
    source.release("US", "b");
    rig.until_status(RunStatus::Completed).await;
    assert_eq!(Some(entry("b").await.price.unwrap().run), second.run.latest_id());
}

#[tokio::test(start_paused = true)]
async fn a_price_that_later_fetches_cannot_get_stays_and_shows_its_age() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    let rig = Setup::new(source.clone()).open().await;
    rig.whole_run().await;
    source.script("US", "a", [Err(fault(FailureClass::NotFound))]);
    rig.start().await;
    rig.until("the second run to end", |snapshot| {
        snapshot.run.status() == RunStatus::Completed && snapshot.analytics().failed == 1
    })
    .await;
    let entry = rig.handle.reader().entry(&market("US"), &product("a")).await.unwrap().unwrap();
    assert_eq!(entry.price.unwrap().fetched_at, rig.setup.begins_at.plus(Duration::from_millis(5)));
    assert_eq!(entry.outcome.attempts.failure().unwrap().class(), FailureClass::NotFound);
}

#[tokio::test(start_paused = true)]
async fn validators_are_sent_again_and_a_price_confirmed_by_them_is_young_again() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.set_default(|_, _, _, etag| match etag {
        Some("\"v1\"") => Ok(Fetched::NotModified),
        _ => Ok(Fetched::Price(Quote { price: price("7.10", "USD"), etag: Some("\"v1\"".to_owned()) })),
    });
    let rig = Setup::new(source).open().await;
    rig.whole_run().await;
    rig.start().await;
    let second = rig.until_completed(1).await;
    assert_eq!(rig.setup.source.calls()[1].etag.as_deref(), Some("\"v1\""));
    let kept = rig.handle.reader().entry(&market("US"), &product("a")).await.unwrap().unwrap().price.unwrap();
    assert_eq!((kept.price, Some(kept.run)), (price("7.10", "USD"), second.run.latest_id()));
    assert_eq!(kept.etag.as_deref(), Some("\"v1\""));
    assert_eq!(rig.handle.request_log().newest(0, 1, |_| true).0[0].status_code, Some(304));
}

#[tokio::test(start_paused = true)]
async fn an_answer_not_modified_that_nobody_asked_for_is_a_failure_and_no_price() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.set_default(|_, _, _, _| Ok::<_, Fault>(Fetched::NotModified));
    let rig = Setup::new(source).open().await;
    let done = rig.whole_run().await;
    assert_eq!(done.markets[0].progress.failed_with(FailureClass::InvalidAnswer), 1);
    assert_eq!(rig.setup.entries().into_values().next().unwrap().price, None);
}

#[tokio::test(start_paused = true)]
async fn a_product_is_purged_once_before_its_first_request() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.script("US", "a", [Err(fault(FailureClass::Timeout))]);
    let rig = Setup::new(source).open().await;
    rig.whole_run().await;
    assert_eq!((rig.setup.source.purges("US", "a"), rig.setup.source.requests("US", "a")), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn requests_count_attempts_and_the_log_names_each_of_them() {
    let source = ScriptedSource::new().with_market("US", &["a", "b"]);
    source.script("US", "a", [Err(fault(FailureClass::ServerError)), Err(fault(FailureClass::Timeout))]);
    let rig = Setup::new(source).open().await;
    let analytics = rig.whole_run().await.analytics();
    assert_eq!((analytics.requests, analytics.successful), (4, 2));
    assert_eq!(rig.log_ids(), ["US/b/1", "US/a/3", "US/a/2", "US/a/1"]);
    let stats = rig.handle.request_log().stats();
    assert_eq!((stats.total, stats.successful, stats.duration), (4, 2, Duration::from_millis(20)));
    let (failed, total) = rig.handle.request_log().newest(0, 9, |call| call.failure.is_some());
    assert_eq!((total, failed[1].status_code, failed[0].status_code), (2, Some(503), None));
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_within_a_market_and_no_more_markets_than_allowed() {
    for parallel in [1, 4] {
        let mut source = ScriptedSource::new();
        for id in ["A", "B", "C", "D", "E", "F"] {
            source = source.with_numbered(id, 15);
        }
        let setup = Setup::new(source).with_options(|options| {
            options.parallel_markets = std::num::NonZeroUsize::new(parallel).unwrap();
        });
        let rig = setup.open().await;
        let mut snapshots = rig.handle.subscribe();
        let watching = tokio::spawn(async move {
            let mut active_max = 0;
            while snapshots.changed().await.is_ok() {
                let snapshot = snapshots.borrow_and_update();
                let active = snapshot.markets.iter().filter(|market| market.activity == Activity::Active);
                active_max = active_max.max(active.count());
                if snapshot.run.status() == RunStatus::Completed {
                    break;
                }
            }
            active_max
        });
        rig.whole_run().await;
        assert_eq!(watching.await.unwrap(), parallel);
        let source = &rig.setup.source;
        assert!(["A", "B", "C", "D", "E", "F"].iter().all(|id| source.in_flight_max(id) == 1));
        assert_eq!(source.in_flight_max_total(), parallel as u32);
        assert_eq!(source.requests_total(), 90);
    }
}
