//! Trouble that a run cannot go on with: ERROR with a reason and a way out, and no harm done.

use std::time::Duration;

use price_cache_domain::{FailureClass, Run, RunFailureClass, RunStatus};
use price_cache_testkit::ScriptedSource;
use tokio::time::sleep;

use super::harness::{Setup, counts, failure_of, fault, operator};
use super::unreliable::Circle;

fn three(source: &ScriptedSource, class: FailureClass) {
    source.fail_listings(vec![fault(class); 3]);
}

#[tokio::test(start_paused = true)]
async fn unreachable_markets_are_an_error_that_says_what_to_do_and_goes_away_by_itself() {
    let source = ScriptedSource::new().with_numbered("US", 2);
    three(&source, FailureClass::Transport);
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    let broken = rig.until_status(RunStatus::Error).await;
    let failure = failure_of(&broken);
    assert_eq!(failure.class, RunFailureClass::Listing);
    assert!(failure.message.contains("the markets after 3 attempts"), "{}", failure.message);
    assert!(failure.message.contains("base_url"), "{}", failure.message);
    assert!(broken.retry_at.is_some() && broken.retry_at == failure.retry_at);
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), done.retry_at), ((2, 2, 0), None));
}

#[tokio::test(start_paused = true)]
async fn a_market_whose_products_cannot_be_listed_is_named() {
    let source = ScriptedSource::new().with_numbered("US", 2);
    source.set_markets(&["US", "XX"]);
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    let failure = failure_of(&rig.until_status(RunStatus::Error).await);
    assert!(failure.message.contains("\"XX\"") && failure.retry_at.is_none(), "{}", failure.message);
    source.set_products("XX", Vec::new());
    assert_eq!(counts(&rig.whole_run().await, "US"), (2, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn automatic_retries_come_at_growing_and_capped_delays() {
    let source = ScriptedSource::new().with_numbered("US", 1);
    for _ in 0..11 {
        three(&source, FailureClass::ServerError);
    }
    let rig = Setup::new(source).open().await;
    rig.start().await;
    let mut delays_s = Vec::new();
    let mut last = rig.setup.begins_at;
    for _ in 0..11 {
        let broken = rig.until("the next failure", |snapshot| match &snapshot.run {
            Run::Error(error) => error.at() > last,
            _ => false,
        });
        let Run::Error(error) = broken.await.run else { panic!("not in ERROR") };
        last = error.at();
        delays_s.push(error.failure().retry_at.unwrap().since(last).as_secs());
    }
    assert_eq!(delays_s, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    rig.until_status(RunStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_market_list_and_refused_credentials_wait_for_a_person() {
    let empty = ScriptedSource::new();
    let refused = ScriptedSource::new().with_numbered("US", 1);
    refused.fail_listings([fault(FailureClass::Credentials)]);
    for (source, class, advice) in [
        (empty, RunFailureClass::Listing, "source.markets"),
        (refused, RunFailureClass::Credentials, "API key"),
    ] {
        let rig = Setup::new(source.clone()).open().await;
        rig.start().await;
        let failure = failure_of(&rig.until_status(RunStatus::Error).await);
        assert_eq!((failure.class, failure.retry_at), (class, None));
        assert!(failure.message.contains(advice), "{}", failure.message);
        sleep(Duration::from_secs(7_200)).await;
        assert_eq!(rig.status(), RunStatus::Error, "nothing happens by itself");
        source.set_products("US", vec![price_cache_testkit::product("a")]);
        rig.whole_run().await;
    }
}

#[tokio::test(start_paused = true)]
async fn product_pages_that_go_in_a_circle_end_in_an_error() {
    let setup = Setup::new(ScriptedSource::new());
    for length in [1, 3] {
        let rig = setup.open_with_source(Circle { length }).await;
        rig.start().await;
        let failure = failure_of(&rig.until_status(RunStatus::Error).await);
        assert!(failure.message.contains("no end"), "{}", failure.message);
        rig.handle.reset(operator(), false).await.unwrap();
        rig.shut_down(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_calls_the_automatic_retry_off() {
    let source = ScriptedSource::new().with_numbered("US", 2);
    three(&source, FailureClass::Timeout);
    let rig = Setup::new(source).open().await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    let accepted = rig.stop().await;
    assert_eq!((accepted.state, accepted.changed), (RunStatus::Error, true));
    assert!(accepted.message.contains("called off"));
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!((rig.status(), rig.handle.snapshot().retry_at), (RunStatus::Error, None));
    assert!(!rig.stop().await.changed);
    rig.whole_run().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_in_error_keeps_its_appointment_over_a_restart() {
    let source = ScriptedSource::new().with_numbered("US", 2);
    three(&source, FailureClass::Timeout);
    let rig = Setup::new(source).open().await;
    rig.start().await;
    let broken = rig.until_status(RunStatus::Error).await;
    let setup = rig.shut_down(Duration::from_millis(100)).await;
    let rig = setup.open().await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!((rig.status(), rig.handle.snapshot().retry_at), (RunStatus::Error, broken.retry_at));
    rig.until_status(RunStatus::Completed).await;
}
