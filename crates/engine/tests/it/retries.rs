//! Failures of single products: retried by class within bounds, then recorded, and never the end of a run.

use std::num::NonZeroU32;
use std::time::Duration;

use price_cache_domain::{FailureClass, RunStatus};
use price_cache_engine::{Activity, WaitReason};
use price_cache_testkit::ScriptedSource;
use tokio::time::Instant;

use super::harness::{Rig, Setup, counts, fault, limited};

#[tokio::test(start_paused = true)]
async fn each_class_is_retried_as_it_deserves_and_no_failed_product_ends_the_run() {
    let classes = FailureClass::ALL.into_iter().filter(|class| *class != FailureClass::Credentials);
    let classes: Vec<_> = classes.collect();
    let mut ids: Vec<_> = classes.iter().map(|class| class.name()).collect();
    ids.push("good");
    let source = ScriptedSource::new().with_market("US", &ids);
    for class in &classes {
        source.script("US", class.name(), vec![Err(fault(*class)); 400]);
    }
    let setup = Setup::new(source.clone()).with_options(|options| {
        options.retry.rate_limited_max = Duration::ZERO;
    });
    let rig = setup.without_end_of_market_retry().open().await;
    let done = rig.whole_run().await;
    assert_eq!(counts(&done, "US"), (9, 1, 8));
    for class in classes {
        let has_attempts = class.may_pass() && class != FailureClass::RateLimited;
        let expected = if has_attempts { 3 } else { 1 };
        assert_eq!(source.requests("US", class.name()), expected, "{class}");
        assert_eq!(done.markets[0].progress.failed_with(class), 1);
    }
    let markets = [done.markets[0].market.clone()];
    let failed = rig.handle.reader().failed_products(
        done.run.latest_id().unwrap(),
        &markets,
        Some(FailureClass::ServerError),
        None,
        10,
    );
    let failed = failed.await.unwrap();
    assert_eq!((failed.len(), failed[0].product.as_str()), (1, "server_error"));
    assert_eq!(failed[0].outcome.attempts.kept().last().unwrap().status_code, Some(503));
}

#[tokio::test(start_paused = true)]
async fn a_product_that_recovers_within_its_attempts_is_a_success() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.script("US", "a", vec![Err(fault(FailureClass::Transport)); 2]);
    let rig = Setup::new(source).open().await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "US"), done.analytics().requests), ((1, 1, 0), 3));
}

/// How long a run of one market takes, and the most that any of its waits promised.
async fn run_time(rig: &Rig) -> Duration {
    let begun = Instant::now();
    rig.whole_run().await;
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_to_the_second() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.script("US", "a", [Err(limited(Duration::from_secs(7)))]);
    let rig = Setup::new(source).open().await;
    let took = run_time(&rig).await;
    assert!(took >= Duration::from_secs(7) && took < Duration::from_millis(7_100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_absurd_retry_after_is_capped() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.script("US", "a", [Err(limited(Duration::from_secs(u64::MAX)))]);
    let rig = Setup::new(source).open().await;
    let took = run_time(&rig).await;
    assert!(took >= Duration::from_secs(60) && took < Duration::from_secs(61), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_also_holds_for_the_next_product_when_this_one_is_given_up() {
    let source = ScriptedSource::new().with_market("US", &["a", "b"]);
    source.script("US", "a", [Err(limited(Duration::from_secs(9)))]);
    let setup = Setup::new(source).with_options(|options| options.retry.rate_limited_max = Duration::ZERO);
    let rig = setup.without_parking().open().await;
    rig.start().await;
    let snapshot = rig.until_completed(1).await;
    assert_eq!(counts(&snapshot, "US"), (2, 0, 1));
    let given_up = Instant::now();
    rig.until_status(RunStatus::Completed).await;
    assert!(given_up.elapsed() >= Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn backoff_is_bounded() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.set_default(|_, _, _, _| Err(fault(FailureClass::ServerError)));
    let setup = Setup::new(source).with_options(|options| {
        options.retry.attempts_max = NonZeroU32::new(20).unwrap();
        options.retry.backoff_max = Duration::from_secs(2);
    });
    let rig = setup.without_end_of_market_retry().open().await;
    let took = run_time(&rig).await;
    assert_eq!(rig.setup.source.requests_total(), 20);
    assert!(took <= Duration::from_secs(19 * 2) + Duration::from_millis(20 * 6), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_status_says_why_a_market_waits_and_until_when_and_forgets_it_afterwards() {
    let source = ScriptedSource::new().with_market("US", &["a", "b"]);
    source.script("US", "a", [Err(limited(Duration::from_secs(30)))]);
    let rig = Setup::new(source).open().await;
    rig.start().await;
    let is_waiting = |activity: Activity| matches!(activity, Activity::Waiting { .. });
    let snapshot = rig.until("a wait", |snapshot| {
        snapshot.markets.first().is_some_and(|market| is_waiting(market.activity))
    });
    let Activity::Waiting { reason, until } = snapshot.await.markets[0].activity else { panic!("no wait") };
    assert_eq!(reason, WaitReason::RetryAfter);
    assert_eq!(until, rig.setup.begins_at.plus(Duration::from_millis(30_005)));
    let after = rig.until_completed(1).await;
    assert!(!is_waiting(after.markets[0].activity), "{:?}", after.markets[0].activity);
}

#[tokio::test(start_paused = true)]
async fn backoff_and_pacing_are_told_apart() {
    let source = ScriptedSource::new().with_market("US", &["a", "b"]);
    let setup = Setup::new(source.clone()).with_options(|options| {
        options.delay_between_requests = Duration::from_secs(3);
        options.retry.backoff_start = Duration::from_secs(3_600);
        options.retry.backoff_max = Duration::from_secs(3_600);
    });
    source.script("US", "b", [Err(fault(FailureClass::Timeout))]);
    let rig = setup.open().await;
    rig.start().await;
    let waits_for = async |wanted: WaitReason| {
        rig.until("the wait", |snapshot| {
            let activity = snapshot.markets.first().map(|market| market.activity);
            matches!(activity, Some(Activity::Waiting { reason, .. }) if reason == wanted)
        })
        .await
    };
    waits_for(WaitReason::Pacing).await;
    rig.until_completed(1).await;
    waits_for(WaitReason::Backoff(FailureClass::Timeout)).await;
    rig.until_status(RunStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn the_delay_between_requests_is_kept() {
    let source = ScriptedSource::new().with_numbered("US", 5);
    let setup = Setup::new(source).with_options(|options| {
        options.delay_between_requests = Duration::from_millis(200);
    });
    let rig = setup.open().await;
    // Before each price, because the list was asked for before the first.
    assert_eq!(run_time(&rig).await, Duration::from_millis(5 * 5 + 5 * 200));
}

#[tokio::test(start_paused = true)]
async fn a_market_is_flagged_once_enough_products_show_a_low_success_rate() {
    let source = ScriptedSource::new().with_numbered("US", 12);
    for index in [0, 1, 2] {
        source.script("US", &format!("p{index:04}"), [Err(fault(FailureClass::NotFound))]);
    }
    let rig = Setup::new(source).open().await;
    rig.start().await;
    let early = rig.until_completed(9).await;
    assert!(early.analytics().completed() > 9 || !early.markets[0].progress.low_success_rate());
    let flagged = rig.until_completed(10).await;
    assert!(flagged.markets[0].progress.low_success_rate());
    rig.until_status(RunStatus::Completed).await;
}
