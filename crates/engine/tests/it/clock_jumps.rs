//! A wall clock that jumps by hours, forwards and back: waits follow another clock, and no time of the run becomes
//! nonsense.

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{Clock, FailureClass, Fetched, RunStatus, Timestamp};
use price_cache_engine::{Activity, CacheService, MarketSnapshot, Ports, Snapshot};
use price_cache_testkit::{ManualClock, ScriptedSource, quote};
use tokio::time::Instant;

use super::harness::{Rig, Setup, counts, failure_of, fault, limited};

const HOURS: Duration = Duration::from_secs(5 * 3_600);
/// The longest wait for an automatic retry.
const RETRY_MAX: Duration = Duration::from_secs(300);

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(time.as_millis() - i64::try_from(by.as_millis()).unwrap())
}

fn back(clock: &ManualClock, by: Duration) {
    clock.set(earlier(clock.now(), by));
}

/// A service whose wall clock is the test's; it begins where the setup does.
async fn open(setup: &Setup) -> (Rig, ManualClock) {
    let clock = ManualClock::at(setup.begins_at);
    let store = Arc::new(setup.store.clone());
    let ports = Ports { store, source: Arc::new(setup.source.clone()), clock: Arc::new(clock.clone()) };
    let (_, paused) = setup.service();
    (setup.run(CacheService::new(ports, setup.options.clone()), paused).await, clock)
}

fn assert_finite(snapshot: &Snapshot, now: Timestamp) {
    for at in [now, now.plus(HOURS)] {
        let Some(estimate) = snapshot.total_estimate(at) else { continue };
        assert!(estimate.high < 10 * HOURS, "{estimate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_at_each_request_neither_stretches_nor_breaks_a_run() {
    let source = ScriptedSource::new().with_numbered("DE", 40).with_numbered("US", 40);
    let setup = Setup::new(source.clone());
    let (rig, clock) = open(&setup).await;
    let moved = clock.clone();
    source.set_default(move |_, product, _, _| {
        match product.as_str().ends_with(['1', '3', '5', '7', '9']) {
            true => moved.advance(HOURS),
            false => back(&moved, HOURS + HOURS / 2),
        }
        Ok::<Fetched, _>(quote("1.00", "EUR"))
    });
    let begun = Instant::now();
    rig.start().await;
    let started_at = rig.handle.snapshot().run.facts().unwrap().started_at();
    let half = rig.until_completed(40).await;
    assert_finite(&half, clock.now());
    let done = rig.until_status(RunStatus::Completed).await;
    assert_finite(&done, clock.now());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((counts(&done, "DE"), counts(&done, "US")), ((40, 40, 0), (40, 40, 0)));
    assert_eq!(done.run.facts().unwrap().started_at(), started_at);
    for entry in rig.setup.entries().values() {
        // What the API says as the age of the price, and of the request as its time.
        assert!(clock.now().since(entry.price.as_ref().unwrap().fetched_at) < 100 * HOURS);
        assert!(entry.outcome.attempts.busy() < Duration::from_secs(1), "{entry:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_an_upstream_asked_for_is_neither_stretched_nor_cut() {
    for forwards in [false, true] {
        let source = ScriptedSource::new().with_numbered("US", 3);
        source.script("US", "p0001", [Err(limited(Duration::from_secs(7))), Ok(quote("1.00", "EUR"))]);
        let (rig, clock) = open(&Setup::new(source)).await;
        let begun = Instant::now();
        rig.start().await;
        let waits = |market: &MarketSnapshot| matches!(market.activity, Activity::Waiting { .. });
        rig.until("a wait", |snapshot| snapshot.markets.iter().any(waits)).await;
        if forwards {
            clock.advance(HOURS)
        } else {
            back(&clock, HOURS)
        }
        let done = rig.until_status(RunStatus::Completed).await;
        assert_eq!(counts(&done, "US"), (3, 3, 0));
        let took = begun.elapsed();
        assert!(took >= Duration::from_secs(7) && took < Duration::from_secs(8), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_automatic_retry_comes_in_its_time_though_the_clock_is_set_back() {
    let source = ScriptedSource::new().with_numbered("US", 2);
    source.fail_listings(vec![fault(FailureClass::Transport); 3]);
    let (rig, clock) = open(&Setup::new(source)).await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    back(&clock, HOURS);
    let begun = Instant::now();
    rig.until_status(RunStatus::Completed).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_automatic_retry_is_not_put_off_by_a_clock_set_back_while_the_program_was_down() {
    for ahead in [false, true] {
        let source = ScriptedSource::new().with_numbered("US", 2);
        source.fail_listings(vec![fault(FailureClass::Transport); 3]);
        let rig = Setup::new(source).open().await;
        rig.start().await;
        let due = failure_of(&rig.until_status(RunStatus::Error).await).retry_at.unwrap();
        let mut setup = rig.kill(Duration::ZERO).await;
        setup.begins_at = if ahead { due.plus(HOURS) } else { earlier(due, HOURS) };
        let begun = Instant::now();
        let rig = setup.open().await;
        if !ahead {
            let shown = rig.handle.snapshot().retry_at;
            assert!(shown.is_none_or(|at| at <= setup.begins_at.plus(RETRY_MAX)), "{shown:?}");
        }
        rig.until_status(RunStatus::Completed).await;
        let longest = if ahead { Duration::from_secs(1) } else { RETRY_MAX + Duration::from_secs(1) };
        assert!(begun.elapsed() <= longest, "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_interrupted_goes_on_though_the_clock_was_set_back() {
    let setup = Setup::new(ScriptedSource::new().with_numbered("US", 20));
    let rig = setup.open().await;
    rig.start().await;
    let run = rig.until_completed(10).await.run.latest_id();
    let mut setup = rig.kill(Duration::ZERO).await;
    setup.begins_at = earlier(setup.begins_at, HOURS);
    let rig = setup.open().await;
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!((counts(&done, "US"), done.run.latest_id()), ((20, 20, 0), run));
    assert_finite(&done, setup.begins_at);
    // The next run is a later one all the same.
    let next = rig.start().await;
    assert!(next.changed);
    let next = rig.until("another run", |snapshot| snapshot.run.latest_id() > run).await;
    assert!(next.run.latest_id() > run);
}
