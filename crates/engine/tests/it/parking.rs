//! An upstream that is down: markets are set aside, probed gently, taken up again by themselves, and none of
//! their products is blamed for it.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use price_cache_domain::{FailureClass, Fetched, RunFailureClass, RunStatus};
use price_cache_engine::Activity;
use price_cache_testkit::{ScriptedSource, quote};
use tokio::time::{Instant, sleep};

use super::harness::{Setup, counts, failure_of, fault, market_of};

/// A source whose markets that begin with `market` are down between two times from now, and how many
/// requests came meanwhile.
fn outage(source: &ScriptedSource, market: &'static str, from: Duration, to: Duration) -> &'static AtomicU64 {
    let begun = Instant::now();
    let meanwhile: &AtomicU64 = Box::leak(Box::default());
    source.set_default(move |asked, _, _, _| {
        let is_down = (from..to).contains(&begun.elapsed()) && asked.as_str().starts_with(market);
        if is_down {
            meanwhile.fetch_add(1, Ordering::SeqCst);
            return Err(fault(FailureClass::ServerError));
        }
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    meanwhile
}

const NEVER: Duration = Duration::from_secs(1_000_000);

#[tokio::test(start_paused = true)]
async fn a_run_comes_through_an_outage_by_itself_and_no_product_fails() {
    let source = ScriptedSource::new().with_numbered("US", 1_000);
    let meanwhile = outage(&source, "", Duration::from_secs(1), Duration::from_secs(600));
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    let broken = rig.until_status(RunStatus::Error).await;
    let failure = failure_of(&broken);
    assert_eq!(failure.class, RunFailureClass::Upstream);
    assert!(failure.message.contains("10 x 503") && failure.message.contains("US"), "{}", failure.message);
    let Activity::Parked { reason, until, .. } = market_of(&broken, "US").activity else {
        panic!("not parked")
    };
    assert_eq!((reason.failures, reason.status_code), (10, Some(503)));
    assert_eq!((failure.retry_at, broken.retry_at), (Some(until), Some(until)));
    assert_eq!(counts(&broken, "US").2, 0);
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (1_000, 1_000, 0));
    let meanwhile = meanwhile.load(Ordering::SeqCst);
    assert!((10..=10 + 20 + 12).contains(&meanwhile), "{meanwhile} requests in ten minutes");
    // The probe that succeeded may have been one for a product that came before.
    assert!((1_000..=1_001).contains(&(source.requests_total() - meanwhile)), "{}", source.requests_total());
}

#[tokio::test(start_paused = true)]
async fn a_parked_market_makes_room_for_the_others_and_is_taken_up_after_them() {
    for parallel in [1, 2] {
        // A probe fails in the thirtieth second at the latest, and the next comes 40 s after it at most: the others take 80 s.
        let source = ScriptedSource::new().with_numbered("DE", 50).with_numbered("FR", 16_000);
        let source = source.with_numbered("US", 50);
        outage(&source, "DE", Duration::ZERO, Duration::from_secs(30));
        let setup = Setup::new(source).with_options(|options| {
            options.parallel_markets = NonZeroUsize::new(parallel).unwrap();
        });
        let rig = setup.open().await;
        rig.start().await;
        let parked = rig.until("a parked market", |snapshot| {
            snapshot.markets.first().is_some_and(|market| matches!(market.activity, Activity::Parked { .. }))
        });
        let parked = parked.await;
        assert_eq!((parked.run.status(), counts(&parked, "DE")), (RunStatus::Processing, (50, 0, 0)));
        let mut snapshots = rig.handle.subscribe();
        let done = snapshots.wait_for(|snapshot| {
            assert_ne!(snapshot.run.status(), RunStatus::Error);
            let active = snapshot.markets.iter().filter(|market| market.activity == Activity::Active);
            assert!(active.count() <= parallel);
            snapshot.run.status() == RunStatus::Completed
        });
        assert_eq!(done.await.unwrap().analytics().successful, 16_100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_parked_market_is_probed_at_growing_delays_with_one_request_each() {
    let source = ScriptedSource::new().with_numbered("US", 100);
    outage(&source, "", Duration::ZERO, NEVER);
    let setup = Setup::new(source.clone()).with_options(|options| options.retry.budget_start = 0);
    let rig = setup.open().await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    let mut requests = source.requests_total();
    assert_eq!(requests, 10);
    for bound in [5, 10, 20, 40, 80, 160, 300, 300] {
        let waits = rig.handle.snapshot().retry_at.unwrap().since(rig.handle.now());
        let bounds = Duration::from_millis(bound * 500)..=Duration::from_millis(bound * 1_000 + 1);
        assert!(bounds.contains(&waits), "{waits:?} of {bound} s");
        sleep(waits + Duration::from_millis(30)).await;
        assert_eq!((source.requests_total(), rig.status()), (requests + 1, RunStatus::Error));
        requests += 1;
    }
    // A person need not wait.
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    assert_eq!(source.requests_total(), requests + 1);
}

#[tokio::test(start_paused = true)]
async fn products_that_can_never_be_had_fail_and_do_not_park_their_market_forever() {
    let source = ScriptedSource::new().with_numbered("US", 300);
    source.set_default(|_, product, _, _| {
        if ("p0100".."p0130").contains(&product.as_str()) {
            return Err(fault(FailureClass::ServerError));
        }
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    let rig = Setup::new(source).open().await;
    assert_eq!(counts(&rig.whole_run().await, "US"), (300, 270, 30));
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_a_market_is_parked_is_a_pause_and_start_goes_on() {
    let source = ScriptedSource::new().with_numbered("DE", 30).with_numbered("FR", 3_000);
    outage(&source, "DE", Duration::ZERO, Duration::from_secs(8));
    let setup = Setup::new(source).with_options(|options| options.retry.budget_start = 0);
    let rig = setup.open().await;
    rig.start().await;
    rig.until_completed(100).await;
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    assert!(rig.handle.snapshot().markets.iter().all(|market| market.activity == Activity::Pending));
    sleep(Duration::from_secs(8)).await;
    let done = rig.whole_run().await;
    assert_eq!((counts(&done, "DE"), counts(&done, "FR")), ((30, 30, 0), (3_000, 3_000, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_kill_while_everything_is_parked_loses_nothing() {
    let source = ScriptedSource::new().with_numbered("US", 200);
    outage(&source, "", Duration::from_millis(500), Duration::from_secs(100));
    let rig = Setup::new(source).open().await;
    rig.start().await;
    let broken = rig.until_status(RunStatus::Error).await;
    let setup = rig.kill(Duration::from_millis(100)).await;
    let rig = setup.open().await;
    assert_eq!(counts(&rig.handle.snapshot(), "US"), counts(&broken, "US"));
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (200, 200, 0));
}

#[tokio::test(start_paused = true)]
async fn kill_after_kill_in_an_outage_costs_a_few_requests_each_and_no_burst() {
    let source = ScriptedSource::new().with_numbered("US", 200);
    let meanwhile = outage(&source, "", Duration::from_millis(500), NEVER);
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    let mut setup = rig.kill(Duration::from_millis(100)).await;
    for _ in 0..5 {
        let before = meanwhile.load(Ordering::SeqCst);
        let rig = setup.open().await;
        let begun = rig.clock;
        rig.until("the outage to be found out", |snapshot| {
            matches!(market_of(snapshot, "US").activity, Activity::Parked { since, .. } if since >= begun.base())
        })
        .await;
        // One product with its retries, and one that came before.
        let cost = meanwhile.load(Ordering::SeqCst) - before;
        assert!((2..=4).contains(&cost), "{cost} requests");
        setup = rig.kill(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_when_a_handful_of_products_is_left_parks_the_market_too() {
    let source = ScriptedSource::new().with_numbered("US", 100);
    outage(&source, "", Duration::from_millis(5 * 97), Duration::from_secs(100));
    let done = Setup::new(source).open().await.whole_run().await;
    assert_eq!(counts(&done, "US"), (100, 100, 0));
}
