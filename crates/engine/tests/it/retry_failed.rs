//! Attempting failed products again: which, from which state, and where that ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use price_cache_domain::{FailureClass, PauseReason, RetryFilter, Run, RunStatus};
use price_cache_testkit::{ScriptedSource, market};

use super::harness::{Rig, Setup, counts, fault, operator, pause_of, refusal, revoked_after};
use super::unreliable::UnreliableStore;

fn any() -> RetryFilter {
    RetryFilter::default()
}

/// A completed run with failures: US/p0000 not found, US/p0001 and DE/p0000 timeouts.
async fn with_failures() -> Rig {
    let source = ScriptedSource::new().with_numbered("US", 4).with_numbered("DE", 2);
    source.script("US", "p0000", [Err(fault(FailureClass::NotFound))]);
    for (market, product) in [("US", "p0001"), ("DE", "p0000")] {
        source.script(market, product, vec![Err(fault(FailureClass::Timeout)); 3]);
    }
    let rig = Setup::new(source).without_end_of_market_retry().open().await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((4, 2, 2), (2, 1, 1)));
    rig
}

#[tokio::test(start_paused = true)]
async fn retry_failed_attempts_every_failed_product_again_and_nothing_else() {
    let rig = with_failures().await;
    let before = rig.setup.source.requests_total();
    assert_eq!(rig.handle.retry_failed(operator(), any()).await.unwrap().state, RunStatus::Processing);
    assert_eq!(rig.handle.snapshot().markets.iter().map(|market| market.retries_left).sum::<u64>(), 3);
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((4, 4, 0), (2, 2, 0)));
    assert_eq!(rig.setup.source.requests_total(), before + 3);
    assert_eq!(done.analytics().requests, before + 3, "attempts of both passes count");
}

#[tokio::test(start_paused = true)]
async fn retry_failed_can_be_narrowed_to_a_market_and_a_class() {
    let rig = with_failures().await;
    let by_market = RetryFilter { market: Some(market("DE")), class: None };
    rig.handle.retry_failed(operator(), by_market).await.unwrap();
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((4, 2, 2), (2, 2, 0)));
    let by_class = RetryFilter { market: None, class: Some(FailureClass::NotFound) };
    rig.handle.retry_failed(operator(), by_class).await.unwrap();
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (4, 3, 1));
    assert_eq!(done.markets[0].progress.failed_with(FailureClass::Timeout), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_failed_is_refused_where_nothing_that_failed_matches() {
    let rig = with_failures().await;
    for filter in [
        RetryFilter { market: Some(market("FR")), class: None },
        RetryFilter { market: None, class: Some(FailureClass::Rejected) },
        RetryFilter { market: Some(market("DE")), class: Some(FailureClass::NotFound) },
    ] {
        let (state, message) = refusal(rig.handle.retry_failed(operator(), filter).await);
        assert_eq!(state, RunStatus::Completed);
        assert!(message.contains("nothing to retry"), "{message}");
    }
    let idle = Setup::new(ScriptedSource::new()).open().await;
    assert_eq!(refusal(idle.handle.retry_failed(operator(), any()).await).0, RunStatus::Idle);
}

#[tokio::test(start_paused = true)]
async fn retry_failed_of_a_paused_run_ends_paused_and_start_does_the_rest() {
    let source = ScriptedSource::new().with_numbered("US", 6);
    source.script("US", "p0001", [Err(fault(FailureClass::NotFound))]);
    source.hang("US", "p0003");
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    rig.until_completed(3).await;
    rig.stop().await;
    source.release("US", "p0003");
    rig.handle.retry_failed(operator(), any()).await.unwrap();
    let paused = rig.until_status(RunStatus::Paused).await;
    assert_eq!((pause_of(&paused), counts(&paused, "US")), (PauseReason::RetryFinished, (6, 3, 0)));
    rig.start().await;
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (6, 6, 0));
    assert_eq!((source.requests("US", "p0001"), source.requests("US", "p0003")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_stopped_goes_on_with_what_it_had_not_retried() {
    let source = ScriptedSource::new().with_numbered("US", 4);
    for index in 0..4 {
        source.script("US", &format!("p000{index}"), [Err(fault(FailureClass::NotFound))]);
    }
    let rig = Setup::new(source.clone()).open().await;
    rig.whole_run().await;
    source.hang("US", "p0002");
    rig.handle.retry_failed(operator(), any()).await.unwrap();
    rig.until("two retried", |snapshot| snapshot.markets[0].retries_left == 2).await;
    rig.stop().await;
    source.release("US", "p0002");
    rig.start().await;
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), done.markets[0].retries_left), ((4, 4, 0), 0));
    assert_eq!(source.requests_total(), 4 + 4 + 1, "only the stopped request was made again");
}

#[tokio::test(start_paused = true)]
async fn retry_failed_of_a_run_in_error_tries_what_failed_and_start_does_the_rest() {
    let source = ScriptedSource::new().with_numbered("US", 9);
    source.script("US", "p0001", [Err(fault(FailureClass::NotFound))]);
    let key = revoked_after(&source, 2);
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    assert_eq!(counts(&rig.until_status(RunStatus::Error).await, "US"), (9, 2, 1));
    key.store(true, Ordering::SeqCst);
    rig.handle.retry_failed(operator(), any()).await.unwrap();
    let paused = rig.until_status(RunStatus::Paused).await;
    assert_eq!((pause_of(&paused), counts(&paused, "US")), (PauseReason::RetryFinished, (9, 3, 0)));
    assert_eq!(counts(&rig.whole_run().await, "US"), (9, 9, 0));
}

#[tokio::test(start_paused = true)]
async fn a_killed_retry_goes_on_as_a_retry_and_does_not_begin_the_rest() {
    let source = ScriptedSource::new().with_numbered("US", 9);
    for index in [0, 1, 2] {
        source.script("US", &format!("p{index:04}"), [Err(fault(FailureClass::NotFound))]);
    }
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    rig.until_completed(3).await;
    rig.stop().await;
    source.hang("US", "p0001");
    rig.handle.retry_failed(operator(), any()).await.unwrap();
    rig.until("one retried", |snapshot| snapshot.markets[0].retries_left == 2).await;
    let setup = rig.kill(Duration::from_secs(60)).await;
    source.release("US", "p0001");
    let rig = setup.open().await;
    let paused = rig.until("the retry to end", |snapshot| {
        matches!(&snapshot.run, Run::Paused(paused) if paused.reason() == PauseReason::RetryFinished)
    });
    assert_eq!(counts(&paused.await, "US"), (9, 3, 0));
    assert_eq!(source.requests("US", "p0000"), 2, "retried before the kill, not again after it");
}

#[tokio::test(start_paused = true)]
async fn a_failed_product_whose_record_was_refused_is_recorded_and_retried_with_the_others() {
    let source = ScriptedSource::new().with_numbered("DE", 1).with_market("US", &["a", "refused"]);
    for (market, product) in [("DE", "p0000"), ("US", "refused")] {
        source.script(market, product, [Err(fault(FailureClass::NotFound))]);
    }
    let setup = Setup::new(source.clone());
    let rig = setup.open_with_store(UnreliableStore::refusing(setup.store.clone(), "refused", 1)).await;
    rig.start().await;
    assert_eq!(rig.until_status(RunStatus::Error).await.analytics().failed, 1);
    source.hang("US", "refused");
    rig.handle.retry_failed(operator(), any()).await.unwrap();
    rig.until("only the refused one left", |snapshot| snapshot.analytics().successful == 2).await;
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    source.release("US", "refused");
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "DE"), counts(&done, "US")), ((1, 1, 0), (2, 2, 0)));
}
