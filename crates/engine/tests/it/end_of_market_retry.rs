//! Failed products are retried at the end of their market: once, by themselves, and within the same bounds
//! as every other retry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use price_cache_domain::{FailureClass, Fetched, RetryFilter, RunStatus};
use price_cache_engine::Activity;
use price_cache_testkit::{ScriptedSource, quote};
use tokio::time::sleep;

use super::harness::{Setup, counts, fault, market_of, operator};

/// As many failures as a visit has attempts.
fn fails_a_visit(source: &ScriptedSource, product: &str, class: FailureClass) {
    let attempts = if class.may_pass() { 3 } else { 1 };
    source.script("US", product, vec![Err(fault(class)); attempts]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_may_pass_is_tried_again_before_the_market_is_done() {
    let source = ScriptedSource::new().with_numbered("US", 20).with_numbered("ZZ", 3);
    for (product, class) in [
        ("p0002", FailureClass::Timeout),
        ("p0004", FailureClass::InvalidAnswer),
        ("p0005", FailureClass::NotFound),
        ("p0019", FailureClass::ServerError),
    ] {
        fails_a_visit(&source, product, class);
    }
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    let second = rig.until("the end-of-market retry", |snapshot| {
        snapshot.markets.first().is_some_and(|market| snapshot.is_in_end_of_market_retry(market))
    });
    let second = second.await;
    assert_eq!(counts(&second, "US"), (20, 16, 4));
    assert_eq!((second.markets[0].end_of_market_retries_left, second.analytics().completed()), (3, 20));
    assert_eq!(market_of(&second, "ZZ").activity, Activity::Pending, "the market is not done yet");
    let one_better =
        rig.until("an end-of-market retry that helped", |snapshot| snapshot.analytics().failed == 3).await;
    assert_eq!(counts(&one_better, "US"), (20, 17, 3));
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), counts(&done, "ZZ")), ((20, 19, 1), (3, 3, 0)));
    assert_eq!((source.requests("US", "p0002"), source.requests("US", "p0005")), (4, 1));
    let entry = &rig.setup.entries()[&("US".to_owned(), "p0002".to_owned())];
    assert_eq!((entry.outcome.attempts.requests(), entry.outcome.was_retried_at_end), (4, true));
    // One more for p0019, the last of the list: it was not clear whose fault it was.
    assert_eq!(done.analytics().requests, source.requests_total());
}

#[tokio::test(start_paused = true)]
async fn an_end_of_market_retry_comes_once_and_a_person_may_ask_for_more() {
    let source = ScriptedSource::new().with_numbered("US", 9);
    source.script("US", "p0004", vec![Err(fault(FailureClass::ServerError)); 9]);
    let rig = Setup::new(source.clone()).open().await;
    assert_eq!(counts(&rig.whole_run().await, "US"), (9, 8, 1));
    assert_eq!(source.requests("US", "p0004"), 6);
    // What a person asks for is done once, without an end-of-market retry of its own.
    rig.handle.retry_failed(operator(), RetryFilter::default()).await.unwrap();
    assert_eq!(counts(&rig.until_status(RunStatus::Completed).await, "US"), (9, 8, 1));
    assert_eq!(source.requests("US", "p0004"), 9);
    rig.handle.retry_failed(operator(), RetryFilter::default()).await.unwrap();
    assert_eq!(counts(&rig.until_status(RunStatus::Completed).await, "US"), (9, 9, 0));
}

#[tokio::test(start_paused = true)]
async fn an_end_of_market_retry_that_is_stopped_and_killed_goes_on_with_what_it_had_not_looked_at() {
    let source = ScriptedSource::new().with_numbered("US", 20);
    for index in [1, 3, 5, 7] {
        source.script("US", &format!("p{index:04}"), vec![Err(fault(FailureClass::InvalidAnswer)); 6]);
    }
    let setup = Setup::new(source.clone()).with_options(|options| options.retry.budget_start = 100);
    let rig = setup.open().await;
    rig.start().await;
    rig.until("two end-of-market retries", |snapshot| {
        snapshot.analytics().completed() == 20 && snapshot.markets[0].end_of_market_retries_left == 2
    })
    .await;
    rig.stop().await;
    rig.start().await;
    rig.until("one left", |snapshot| snapshot.markets[0].end_of_market_retries_left == 1).await;
    let rig = rig.kill(Duration::from_secs(60)).await.open().await;
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((done.analytics().completed(), done.markets[0].end_of_market_retries_left), (20, 0));
    // The stop and the kill may each have cost the look that was under way, and no other.
    assert_eq!(["p0001", "p0003"].map(|product| source.requests("US", product)), [6, 6]);
    let entries = rig.setup.entries();
    assert!(entries.values().all(|entry| entry.outcome.is_success() || entry.outcome.was_retried_at_end));
}

#[tokio::test(start_paused = true)]
async fn it_can_be_switched_off() {
    let source = ScriptedSource::new().with_numbered("US", 9);
    fails_a_visit(&source, "p0004", FailureClass::Timeout);
    let rig = Setup::new(source.clone()).without_end_of_market_retry().open().await;
    assert_eq!(counts(&rig.whole_run().await, "US"), (9, 8, 1));
    assert_eq!(source.requests("US", "p0004"), 3);
}

#[tokio::test(start_paused = true)]
async fn products_that_can_never_be_had_are_looked_at_again_within_the_budget_and_park_nothing() {
    let source = ScriptedSource::new().with_numbered("US", 1_000);
    source.set_default(|_, product, _, _| {
        if ("p0200".."p0700").contains(&product.as_str()) {
            return Err(fault(FailureClass::ServerError));
        }
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    let mut snapshots = rig.handle.subscribe();
    let done = snapshots.wait_for(|snapshot| {
        let is_parked = |activity| matches!(activity, Activity::Parked { .. });
        assert!(!snapshot.markets.iter().any(|market| is_parked(market.activity)), "{snapshot:?}");
        snapshot.run.status() == RunStatus::Completed
    });
    assert_eq!(counts(&done.await.unwrap(), "US"), (1_000, 500, 500));
    // A tenth of those that came, the start balance, and one in ten for a product that came before.
    let extra = source.requests_total() - 1_000;
    assert!(extra <= 20 + 50 + 50 + 10, "{extra} requests more");
}

#[tokio::test(start_paused = true)]
async fn an_outage_in_the_second_pass_parks_the_market_and_the_look_is_not_lost() {
    let source = ScriptedSource::new().with_numbered("US", 100);
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    // A third of the products, not the last, fail their first visit. The upstream goes down when the end-of-market retry begins.
    source.set_default(move |_, product, number, _| {
        let fails = product.as_str().bytes().last().is_some_and(|digit| digit % 3 == 1);
        let asked = count.fetch_add(1, Ordering::SeqCst);
        if (fails && number == 1) || (100..140).contains(&asked) {
            return Err(fault(FailureClass::Transport));
        }
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    let setup = Setup::new(source).with_options(|options| {
        options.retry.budget_start = 1_000;
        options.retry.attempts_max = std::num::NonZeroU32::MIN;
    });
    let rig = setup.open().await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    let parked = rig.handle.snapshot();
    assert!(parked.is_in_end_of_market_retry(&parked.markets[0]), "{parked:?}");
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (100, 100, 0));
    sleep(Duration::from_secs(3_600)).await;
    assert!(asked.load(Ordering::SeqCst) < 200, "{asked:?}");
}
