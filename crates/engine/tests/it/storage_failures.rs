//! A store that fails: the run stops with the reason, nothing that was fetched is lost, and it goes on once
//! the store works again.

use std::time::Duration;

use price_cache_domain::{FailureClass, PauseReason, RunFailureClass, RunStatus, StoreError};
use price_cache_engine::{CommandError, audit};
use price_cache_testkit::{Operation, ScriptedSource};
use tokio::time::sleep;

use super::harness::{Rig, Setup, counts, failure_of, fault, operator, pause_of};
use super::unreliable::UnreliableStore;

fn full() -> StoreError {
    StoreError::Full("no space left on device".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_the_run_loses_nothing_and_the_run_goes_on_once_there_is_space() {
    let source = ScriptedSource::new().with_numbered("US", 20).with_numbered("DE", 20);
    let setup = Setup::new(source.clone()).with_options(|options| {
        options.parallel_markets = std::num::NonZeroUsize::new(2).unwrap();
    });
    let rig = setup.open().await;
    rig.start().await;
    let shown = rig.until_completed(10).await.analytics();
    setup.store.fail_while(full());
    let broken = rig.until_status(RunStatus::Error).await;
    let failure = failure_of(&broken);
    assert_eq!(failure.class, RunFailureClass::Storage);
    assert!(failure.message.contains("disk is full"), "{}", failure.message);
    assert!(broken.analytics().completed() >= shown.completed());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.status(), RunStatus::Error);
    assert!(rig.handle.snapshot().retry_at.is_some(), "it keeps trying");
    setup.store.recover();
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((20, 20, 0), (20, 20, 0)));
    assert_eq!(source.requests_total(), 40 + source.cancelled(), "what was fetched was not fetched again");
    assert!(audit(&setup.store).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_refused_but_is_there_all_the_same_counts_once() {
    for class in [None, Some(FailureClass::NotFound)] {
        let source = ScriptedSource::new().with_numbered("US", 6);
        if let Some(class) = class {
            source.script("US", "p0002", vec![Err(fault(class))]);
        }
        let setup = Setup::new(source.clone());
        let store = UnreliableStore::refusing(setup.store.clone(), "p0002", 1);
        let rig = setup.open_with_store(store).await;
        rig.start().await;
        let broken = rig.until_status(RunStatus::Error).await;
        assert_eq!(counts(&broken, "US").1, 2);
        assert!(setup.entries().len() > 2, "the refused record is on disk");
        let done = rig.until_status(RunStatus::Completed).await;
        let failed = u64::from(class.is_some());
        assert_eq!(counts(&done, "US"), (6, 6 - failed, failed));
        assert_eq!(source.requests("US", "p0002"), 1);
        assert!(audit(&setup.store).await.unwrap().problems.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_refused_again_and_again_is_kept_until_the_store_takes_it() {
    let source = ScriptedSource::new().with_numbered("US", 6);
    let setup = Setup::new(source.clone());
    let rig = setup.open_with_store(UnreliableStore::refusing(setup.store.clone(), "p0002", 5)).await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "US"), source.requests("US", "p0002")), ((6, 6, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_cannot_be_stored_changes_nothing() {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", 9)).open().await;
    let store = &rig.setup.store;
    store.fail_next_of(Operation::SaveRun, 1, full());
    assert_eq!(rig.handle.start(operator()).await, Err(CommandError::Store(full())));
    assert_eq!((rig.status(), store.run().status()), (RunStatus::Idle, RunStatus::Idle));
    rig.start().await;
    rig.until_completed(3).await;
    rig.stop().await;
    let before = rig.handle.snapshot();
    store.fail_next_of(Operation::SaveRun, 1, full());
    assert_eq!(rig.handle.start(operator()).await, Err(CommandError::Store(full())));
    assert_eq!(rig.handle.snapshot(), before);
    rig.whole_run().await;
    store.fail_next_of(Operation::Clear, 1, full());
    assert_eq!(rig.handle.reset(operator(), false).await, Err(CommandError::Store(full())));
    assert_eq!((rig.status(), rig.setup.entries().len()), (RunStatus::Completed, 9));
}

#[tokio::test(start_paused = true)]
async fn a_stop_holds_even_where_it_cannot_be_stored() {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", 9)).open().await;
    rig.start().await;
    rig.until_completed(3).await;
    rig.setup.store.fail_next_of(Operation::SaveRun, 1, full());
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    assert_eq!(rig.setup.store.run().status(), RunStatus::Processing);
    let rig = rig.kill(Duration::ZERO).await.with_options(|options| options.resume_interrupted = false);
    let rig = rig.open().await;
    assert_eq!(pause_of(&rig.handle.snapshot()), PauseReason::Interrupted);
    rig.whole_run().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_the_store_fails_pauses_and_nothing_starts_again_by_itself() {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", 9)).open().await;
    rig.start().await;
    rig.until_completed(3).await;
    rig.setup.store.hold_writes();
    sleep(Duration::from_millis(12)).await;
    rig.setup.store.fail_while(full());
    sleep(Duration::from_millis(5)).await;
    let (stopped, ()) = tokio::join!(rig.handle.stop(operator()), async {
        sleep(Duration::from_millis(50)).await;
        rig.setup.store.release_writes();
    });
    assert_eq!(stopped.unwrap().state, RunStatus::Paused);
    sleep(Duration::from_secs(3_600)).await;
    let paused = rig.handle.snapshot();
    assert_eq!((pause_of(&paused), paused.retry_at), (PauseReason::Manual, None));
    rig.setup.store.recover();
    let done = rig.whole_run().await;
    assert_eq!(counts(&done, "US"), (9, 9, 0));
    let source = &rig.setup.source;
    assert_eq!(source.requests_total(), 9 + source.cancelled());
}

#[tokio::test(start_paused = true)]
async fn states_that_cannot_be_stored_on_the_way_are_tried_again() {
    // The saves of a run: INITIALIZING, PROCESSING, COMPLETED.
    for failing in [2, 3] {
        let rig = Setup::new(ScriptedSource::new().with_numbered("US", 4)).open().await;
        rig.start().await;
        if failing == 3 {
            rig.until_status(RunStatus::Processing).await;
        }
        rig.setup.store.fail_next_of(Operation::SaveRun, 2, full());
        let broken = rig.until_status(RunStatus::Error).await;
        assert_eq!(failure_of(&broken).class, RunFailureClass::Storage);
        let done = rig.until_status(RunStatus::Completed).await;
        assert_eq!(counts(&done, "US"), (4, 4, 0));
        assert_eq!(rig.setup.source.requests_total(), 4);
        assert_eq!(rig.setup.store.run(), done.run);
    }
}

async fn interrupted(products: usize) -> Setup {
    let rig: Rig = Setup::new(ScriptedSource::new().with_numbered("US", products)).open().await;
    rig.start().await;
    rig.until_completed(2).await;
    rig.kill(Duration::from_secs(60)).await
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_whose_resumption_cannot_be_stored_is_taken_up_later() {
    let setup = interrupted(9).await;
    setup.store.fail_next_of(Operation::SaveRun, 3, full());
    let rig = setup.open().await;
    let waiting = rig.until("a retry", |snapshot| snapshot.retry_at.is_some()).await;
    assert_eq!(pause_of(&waiting), PauseReason::Interrupted);
    assert!(counts(&waiting, "US").1 >= 2, "what is there can be read meanwhile");
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), done.retry_at), ((9, 9, 0), None));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_is_not_opened() {
    let setup = interrupted(3).await;
    for damage in [
        StoreError::Damaged("the run; restore a copy".to_owned()),
        StoreError::NewerFormat { found: 9, supported: 1 },
    ] {
        setup.store.fail_next_of(Operation::LoadRun, 1, damage.clone());
        let error = setup.service().0.open().await.err().unwrap();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, damage.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_page_that_is_gone_is_an_error_that_says_what_to_do() {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", 9)).open().await;
    rig.start().await;
    rig.until_completed(2).await;
    rig.stop().await;
    price_cache_domain::Store::drop_plans_except(&rig.setup.store, None).await.unwrap();
    rig.start().await;
    let failure = failure_of(&rig.until_status(RunStatus::Error).await);
    assert_eq!((failure.class, failure.retry_at), (RunFailureClass::Storage, None));
    assert!(failure.message.contains("doctor"), "{}", failure.message);
}
