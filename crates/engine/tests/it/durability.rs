//! Nothing is shown before it is on disk, and only so much is on its way there.

use std::num::NonZeroUsize;
use std::time::Duration;

use price_cache_domain::{RunStatus, StoreError};
use price_cache_testkit::{MemoryStore, ScriptedSource};
use tokio::time::sleep;

use super::harness::{Rig, Setup, counts, failure_of, pause_of};

async fn held(products: usize, undurable_max: usize) -> (Rig, MemoryStore) {
    let source = ScriptedSource::new().with_numbered("US", products);
    let setup = Setup::new(source).with_options(|options| {
        options.max_unsynced_writes = NonZeroUsize::new(undurable_max).unwrap();
    });
    setup.store.hold_writes();
    let rig = setup.open().await;
    rig.start().await;
    rig.until_status(RunStatus::Processing).await;
    sleep(Duration::from_secs(5)).await;
    (rig, setup.store)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_counted_or_logged_before_its_record_is_durable() {
    let (rig, store) = held(8, 4).await;
    assert_eq!(counts(&rig.handle.snapshot(), "US"), (8, 0, 0));
    assert_eq!(rig.handle.snapshot().analytics().requests, 0);
    assert!(rig.log_ids().is_empty());
    store.release_some(3);
    let snapshot = rig.until_completed(3).await;
    assert_eq!(counts(&snapshot, "US"), (8, 3, 0));
    assert_eq!(rig.log_ids(), ["US/p0002/1", "US/p0001/1", "US/p0000/1"]);
    store.release_writes();
    rig.until_status(RunStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_request_begins_while_the_record_before_it_is_on_its_way() {
    let (rig, store) = held(8, 4).await;
    assert_eq!((store.held_writes(), rig.setup.source.requests_total()), (4, 4));
    store.release_writes();
    rig.until_status(RunStatus::Completed).await;
    assert_eq!(rig.setup.source.requests_total(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_kill_costs_at_most_the_undurable_window_in_repeated_requests() {
    for window in [1, 3, 16] {
        let (rig, _) = held(40, window).await;
        let asked = rig.setup.source.requests_total();
        let setup = rig.kill(Duration::ZERO).await;
        assert_eq!(setup.entries().len(), 0);
        let rig = setup.open().await;
        rig.until_status(RunStatus::Completed).await;
        assert!(asked <= window as u64, "{asked} requests on their way with a window of {window}");
        assert_eq!(setup.source.requests_total(), 40 + asked);
        rig.shut_down(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_was_fetched_to_be_on_disk_and_shows_that_it_was_asked() {
    let (rig, store) = held(8, 4).await;
    let handle = rig.handle.clone();
    let stop = tokio::spawn(async move { handle.stop(super::harness::operator()).await.unwrap() });
    rig.until("the stop to show", |snapshot| snapshot.stop_requested).await;
    assert_eq!(rig.status(), RunStatus::Processing);
    store.release_writes();
    assert_eq!(stop.await.unwrap().state, RunStatus::Paused);
    let snapshot = rig.handle.snapshot();
    assert_eq!((counts(&snapshot, "US"), snapshot.stop_requested), ((8, 4, 0), false));
    assert_eq!(pause_of(&snapshot).name(), "manual");
    rig.start().await;
    rig.until_status(RunStatus::Completed).await;
    assert_eq!(rig.setup.source.requests_total(), 8, "nothing that was fetched is fetched again");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_fails_is_not_counted_and_its_product_is_fetched_again() {
    let source = ScriptedSource::new().with_numbered("US", 6);
    let setup = Setup::new(source);
    let rig = setup.open().await;
    rig.start().await;
    rig.until_completed(2).await;
    setup.store.fail_next_of(
        price_cache_testkit::Operation::Record,
        1,
        StoreError::Io("the cable is out".to_owned()),
    );
    let broken = rig.until_status(RunStatus::Error).await;
    assert_eq!(counts(&broken, "US").1, setup.entries().len() as u64);
    assert!(failure_of(&broken).message.contains("the cable is out"));
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (6, 6, 0));
}
