//! When the run will be done: absent rather than wrong, and not thrown by pauses.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use price_cache_domain::{FailureClass, RunStatus};
use price_cache_engine::{Activity, Estimate, Pace, Snapshot, WaitReason};
use price_cache_testkit::{ScriptedSource, quote};
use tokio::time::{Instant, sleep};

use super::harness::{Rig, Setup, fault, limited, market_of};

#[path = "../../examples/eta_traces/rivals.rs"]
#[expect(dead_code, reason = "the names are for the table")]
mod rivals;
#[path = "../../examples/eta_traces/score.rs"]
mod score;
#[path = "../../examples/eta_traces/traces.rs"]
mod traces;

use score::{Score, score};

/// Markets whose products take a second each.
fn steady(markets: &[(&str, usize)], parallel_markets: usize) -> Setup {
    let mut source = ScriptedSource::new();
    for (id, products) in markets {
        source = source.with_numbered(id, *products);
    }
    let setup = Setup::new(source).with_options(|options| {
        options.parallel_markets = NonZeroUsize::new(parallel_markets).unwrap();
    });
    setup.source.set_delay(Box::new(|_, _, _| Box::pin(sleep(Duration::from_secs(1)))));
    setup
}

fn total(rig: &Rig, snapshot: &Snapshot) -> Option<Estimate> {
    snapshot.total_estimate(rig.handle.now())
}

fn expected_s(rig: &Rig, snapshot: &Snapshot) -> f64 {
    total(rig, snapshot).unwrap().expected.as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_before_anything_is_known_and_zero_when_all_is_done() {
    let setup = steady(&[("US", 5)], 1);
    setup.source.hang_listings();
    let rig = setup.open().await;
    assert_eq!(total(&rig, &rig.handle.snapshot()), None, "in IDLE");
    rig.start().await;
    assert_eq!(total(&rig, &rig.handle.snapshot()), None, "in INITIALIZING");
    setup.source.release_listings();
    let planned = rig.until_status(RunStatus::Processing).await;
    assert_eq!(total(&rig, &planned), None, "before the first product");
    let first = rig.until_completed(3).await;
    assert!((expected_s(&rig, &first) - 2.0).abs() < 0.01, "{:?}", total(&rig, &first));
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(total(&rig, &done), Some(Estimate::DONE));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_products_is_done_and_needs_no_pace_to_say_so() {
    let rig = steady(&[("US", 0)], 1).open().await;
    let done = rig.whole_run().await;
    assert_eq!(total(&rig, &done), Some(Estimate::DONE));
}

#[tokio::test(start_paused = true)]
async fn the_estimate_of_a_steady_run_comes_true_and_pauses_do_not_enter_it() {
    let rig = steady(&[("US", 60), ("DE", 40)], 1).open().await;
    rig.start().await;
    rig.until_completed(30).await;
    rig.stop().await;
    sleep(Duration::from_secs(36_000)).await;
    let paused = rig.handle.snapshot();
    assert!((expected_s(&rig, &paused) - 70.0).abs() < 1.0, "{:?}", total(&rig, &paused));
    rig.start().await;
    let resumed = rig.until_completed(31).await;
    let asked = Instant::now();
    let expected = expected_s(&rig, &resumed);
    rig.until_status(RunStatus::Completed).await;
    assert!((asked.elapsed().as_secs_f64() - expected).abs() < 2.0, "{expected}");
}

#[tokio::test(start_paused = true)]
async fn downtime_does_not_enter_the_estimate() {
    let rig = steady(&[("US", 60)], 1).open().await;
    rig.start().await;
    rig.until_completed(30).await;
    let setup = rig.kill(Duration::from_secs(86_400)).await;
    let rig = setup.open().await;
    let found = rig.handle.snapshot();
    assert!((expected_s(&rig, &found) - 30.0).abs() < 1.5, "{:?}", total(&rig, &found));
}

#[tokio::test(start_paused = true)]
async fn a_market_whose_turn_has_not_come_is_expected_to_keep_the_pace_of_the_others() {
    let rig = steady(&[("US", 10), ("DE", 20)], 1).open().await;
    rig.start().await;
    let snapshot = rig.until_completed(5).await;
    let waiting = snapshot
        .market_estimate(market_of(&snapshot, "DE"), snapshot.overall_pace(), rig.handle.now())
        .unwrap();
    assert!((waiting.expected.as_secs_f64() - 20.0).abs() < 0.5, "{waiting:?}");
}

#[tokio::test(start_paused = true)]
async fn markets_walked_at_once_share_the_time_but_the_longest_sets_its_end() {
    let even = steady(&[("A", 40), ("B", 40), ("C", 40), ("D", 40)], 4).open().await;
    even.start().await;
    let snapshot = even.until_completed(40).await;
    assert!((expected_s(&even, &snapshot) - 30.0).abs() < 1.5, "{:?}", total(&even, &snapshot));
    let uneven = steady(&[("A", 100), ("B", 10)], 2).open().await;
    uneven.start().await;
    let snapshot = uneven.until_completed(20).await;
    assert!((expected_s(&uneven, &snapshot) - 90.0).abs() < 2.0, "{:?}", total(&uneven, &snapshot));
}

#[tokio::test(start_paused = true)]
async fn markets_of_different_length_are_walked_in_their_order_and_the_longest_chain_counts() {
    // Two places: A and B begin, C follows A, D follows B: 30 + 10 against 10 + 50 seconds.
    let rig = steady(&[("A", 30), ("B", 10), ("C", 50), ("D", 10)], 2).open().await;
    rig.start().await;
    let snapshot = rig.until_completed(6).await;
    let asked = Instant::now();
    let expected = expected_s(&rig, &snapshot);
    rig.until_status(RunStatus::Completed).await;
    let took = asked.elapsed().as_secs_f64();
    assert!((expected - took).abs() < 2.0 && took > 55.0, "{expected} {took}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_has_begun_is_counted_once_and_ends_with_the_clock() {
    let setup = steady(&[("US", 100)], 1);
    setup.source.script("US", "p0050", [Err(limited(Duration::from_secs(40)))]);
    let rig = setup.open().await;
    rig.start().await;
    let is_waiting = |activity| matches!(activity, Activity::Waiting { reason: WaitReason::RetryAfter, .. });
    let waiting = rig.until("the wait", |snapshot| is_waiting(market_of(snapshot, "US").activity)).await;
    // 50 products and 40 seconds.
    assert!((expected_s(&rig, &waiting) - 90.0).abs() < 1.5, "{:?}", total(&rig, &waiting));
    sleep(Duration::from_secs(30)).await;
    let later = rig.handle.snapshot();
    assert!((expected_s(&rig, &later) - 60.0).abs() < 1.5, "{:?}", total(&rig, &later));
    let after = rig.until_completed(60).await;
    assert!((expected_s(&rig, &after) - 40.0).abs() < 2.0, "{:?}", total(&rig, &after));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_makes_the_estimate_grow() {
    let setup = steady(&[("US", 100)], 1);
    setup.source.hang("US", "p0050");
    let rig = setup.open().await;
    rig.start().await;
    let begun = rig.until_completed(50).await;
    assert!((expected_s(&rig, &begun) - 50.0).abs() < 1.5, "{:?}", total(&rig, &begun));
    sleep(Duration::from_secs(200)).await;
    let hung = rig.handle.snapshot();
    let estimate = total(&rig, &hung).unwrap();
    assert!(estimate.expected.as_secs() >= 240 && estimate.high.as_secs() >= 1_800, "{estimate:?}");
    rig.stop().await;
    sleep(Duration::from_secs(2_000)).await;
    let paused = rig.handle.snapshot();
    assert!((expected_s(&rig, &paused) - 50.0).abs() < 1.5, "{:?}", total(&rig, &paused));
}

#[tokio::test(start_paused = true)]
async fn second_looks_are_left_to_do() {
    let setup = steady(&[("US", 60)], 1).with_options(|options| {
        options.retry.attempts_max = std::num::NonZeroU32::MIN;
        options.parking.failures_in_a_row = 0;
    });
    for index in 0..20 {
        setup.source.script("US", &format!("p{index:04}"), [Err(fault(FailureClass::Timeout))]);
    }
    let rig = setup.open().await;
    rig.start().await;
    let snapshot = rig.until_completed(40).await;
    assert!((expected_s(&rig, &snapshot) - 40.0).abs() < 1.0, "{:?}", total(&rig, &snapshot));
}

#[tokio::test(start_paused = true)]
async fn an_outage_makes_the_estimate_grow_and_a_restart_does_not_hide_it() {
    let setup = steady(&[("US", 100)], 1);
    let is_down = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_down);
    setup.source.set_default(move |_, _, _, _| {
        if seen.load(Ordering::SeqCst) {
            Err(fault(FailureClass::Transport))
        } else {
            Ok(quote("1.00", "EUR"))
        }
    });
    let mut rig = setup.open().await;
    rig.start().await;
    rig.until_completed(50).await;
    is_down.store(true, Ordering::SeqCst);
    rig.until_status(RunStatus::Error).await;
    let mut before = 0.0;
    for turn in 0..6 {
        sleep(Duration::from_secs(1_000)).await;
        if turn == 3 {
            rig = rig.shut_down(Duration::from_millis(1)).await.open().await;
            sleep(Duration::from_millis(1)).await;
        }
        let broken = rig.handle.snapshot();
        let estimate = total(&rig, &broken).unwrap();
        let market =
            broken.market_estimate(market_of(&broken, "US"), broken.overall_pace(), rig.handle.now());
        assert_eq!(market, Some(estimate));
        assert!(estimate.expected.as_secs() > 50, "{turn}: {estimate:?}");
        // After a restart it begins anew with the time of the ERROR.
        if turn != 3 {
            assert!(estimate.expected.as_secs_f64() > before, "{turn}: {estimate:?} after {before}");
            assert!(estimate.high > estimate.expected * 2, "{turn}: {estimate:?}");
        }
        before = estimate.expected.as_secs_f64();
    }
    is_down.store(false, Ordering::SeqCst);
    let well = rig.until_completed(60).await;
    assert!((expected_s(&rig, &well) - 40.0).abs() < 3.0, "{:?}", total(&rig, &well));
}

#[tokio::test(start_paused = true)]
async fn a_restart_remembers_the_waits_between_products_and_not_the_pauses() {
    let setup = steady(&[("US", 100)], 1).with_options(|options| {
        options.delay_between_requests = Duration::from_secs(4);
    });
    let mut rig = setup.open().await;
    rig.start().await;
    for products in [20, 40, 60] {
        rig.until_completed(products).await;
        rig = rig.kill(Duration::from_secs(86_400)).await.open().await;
    }
    let found = rig.handle.snapshot();
    let left = 40.0 * 5.0;
    assert!((expected_s(&rig, &found) - left).abs() < 0.25 * left, "{:?}", total(&rig, &found));
}

#[test]
fn no_durations_whatsoever_make_an_estimate_that_is_no_number() {
    for durations in [
        vec![Duration::ZERO; 3],
        vec![Duration::MAX; 3],
        vec![Duration::MAX, Duration::ZERO, Duration::MAX],
        vec![Duration::from_nanos(1), Duration::from_secs(1 << 40), Duration::from_nanos(1)],
    ] {
        let mut pace = Pace::new();
        durations.into_iter().for_each(|duration| pace.observe(duration));
        for remaining in [1, u64::MAX] {
            let estimate = pace.estimate(remaining).unwrap();
            assert!(estimate.low <= estimate.expected && estimate.expected <= estimate.high);
        }
    }
}

/// The aims of the estimator, on made-up runs: see `docs/ETA.md`.
#[test]
fn the_error_is_a_quarter_below_the_best_plain_estimator_and_the_range_is_honest() {
    let scores = scores_on(&traces::NAMES);
    let mean = Score::mean(&scores);
    for errors in [|score: &Score| score.of_whole, |score: &Score| score.of_rest] {
        for (name, score) in traces::NAMES.iter().zip(&scores) {
            let against_best = Score::against_best(&errors(score));
            assert!(against_best <= 1.3, "{name}: {against_best}");
        }
        let against_best = Score::against_best(&errors(&mean));
        assert!(against_best <= 0.75, "over all: {against_best}");
    }
    assert!((0.65..=0.95).contains(&mean.coverage), "{}", mean.coverage);
}

#[test]
fn runs_of_shapes_the_estimator_was_not_made_for_are_foretold_better_than_by_plain_ones() {
    let mean = Score::mean(&scores_on(&traces::OTHER_NAMES));
    for errors in [mean.of_whole, mean.of_rest] {
        let against_best = Score::against_best(&errors);
        assert!(against_best <= 0.85, "{against_best}");
    }
    assert!((0.6..=0.95).contains(&mean.coverage), "{}", mean.coverage);
}

/// A few runs of every trace.
fn scores_on(names: &[&str]) -> Vec<Score> {
    let of_trace = |name: &&str| {
        let scores: Vec<Score> = (101..=103).map(|seed| score(name, seed, 1_500)).collect();
        Score::mean(&scores)
    };
    names.iter().map(of_trace).collect()
}
