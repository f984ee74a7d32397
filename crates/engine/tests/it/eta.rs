//! When the run will be done: absent rather than wrong, and not thrown by pauses.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use price_cache_domain::{FailureClass, RunStatus};
use price_cache_engine::{Activity, Estimate, Pace, Snapshot, WaitReason};
use price_cache_testkit::{ScriptedSource, quote};
use tokio::time::{Instant, sleep};

use super::harness::{Rig, Setup, fault, limited, market_of};

#[path = "../../../estimate/examples/eta_traces/rivals.rs"]
#[expect(dead_code, reason = "the names are for the table")]
mod rivals;
#[path = "../../../estimate/examples/eta_traces/score.rs"]
mod score;
#[path = "../../../estimate/examples/eta_traces/traces.rs"]
mod traces;

use score::{Score, mean_score};

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
async fn end_of_market_retries_are_left_to_do() {
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

#[tokio::test(start_paused = true)]
async fn a_restart_takes_up_a_pace_that_changed_where_it_was() {
    // An upstream that has become slow would get rest for a while.
    let setup = steady(&[("US", 200)], 1).with_options(|options| options.pacing.adaptive = false);
    let asked = AtomicU64::new(0);
    setup.source.set_delay(Box::new(move |_, _, _| {
        let is_slow = asked.fetch_add(1, Ordering::SeqCst) >= 60;
        Box::pin(sleep(Duration::from_millis(if is_slow { 3_000 } else { 1_000 })))
    }));
    let rig = setup.open().await;
    rig.start().await;
    let before = rig.until_completed(120).await;
    let before_s = expected_s(&rig, &before);
    assert!((before_s - 240.0).abs() < 24.0, "{:?}", total(&rig, &before));
    let rig = rig.kill(Duration::from_secs(86_400)).await.open().await;
    let after_s = expected_s(&rig, &rig.handle.snapshot());
    assert!((after_s / before_s - 1.0).abs() < 0.1, "{before_s} s before, {after_s} s after");
}

#[tokio::test(start_paused = true)]
async fn the_range_of_the_whole_run_is_narrower_than_those_of_its_markets_one_after_another() {
    let rig = steady(&[("A", 40), ("B", 40), ("C", 40), ("D", 40)], 4).open().await;
    rig.start().await;
    let mut snapshot = rig.until_completed(40).await;
    let overall = snapshot.overall_pace();
    let each: Vec<Estimate> = snapshot
        .markets
        .iter()
        .map(|market| snapshot.market_estimate(market, overall, rig.handle.now()).unwrap())
        .collect();
    // At once, the run is as wide as the market that ends last.
    let at_once = total(&rig, &snapshot).unwrap();
    assert_eq!(Some(at_once.high), each.iter().map(|estimate| estimate.high).max());
    // One after another, the ranges are added as partly correlated.
    snapshot.parallel_markets = 1;
    let in_turn = total(&rig, &snapshot).unwrap();
    let sum = |part: fn(&Estimate) -> Duration| each.iter().map(part).sum::<Duration>();
    let expected = sum(|estimate| estimate.expected);
    assert!(in_turn.expected.abs_diff(expected) < Duration::from_millis(1), "{in_turn:?} {expected:?}");
    let (above, above_sum) = (in_turn.high - in_turn.expected, sum(|estimate| estimate.high) - expected);
    assert!(above < above_sum.mul_f64(0.85) && above > above_sum.mul_f64(0.7), "{above:?} of {above_sum:?}");
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

/// The aims of the estimator, on made-up runs that no constant was chosen on: see `docs/ETA.md`.
#[test]
fn runs_are_foretold_better_than_by_plain_estimators_and_the_range_is_honest() {
    let seeds = 2_000_000..2_000_020;
    let scores = traces::SHAPES.map(|(_, shape)| mean_score(shape, seeds.clone(), 1_500));
    let (named, all) = (Score::mean(&scores[..traces::NAMED]), Score::mean(&scores));
    let of_whole = |score: &Score| Score::against_best(&score.of_whole);
    let of_rest = |score: &Score| Score::against_best(&score.of_rest);
    for ((name, _), score) in traces::SHAPES.iter().zip(&scores) {
        // The rising half of a slow wave looks like a lasting drift.
        let most = if *name == "slow wave" { 1.6 } else { 1.3 };
        assert!(of_whole(score) <= most, "{name}: {}", of_whole(score));
        assert!(of_rest(score) <= most, "{name}: {}", of_rest(score));
        assert!(score.covered() >= 0.5, "{name}: {:?}", score.coverage);
    }
    for mean in [named, all] {
        assert!(of_whole(&mean) <= 0.85, "{}", of_whole(&mean));
        assert!(of_rest(&mean) <= 0.85, "{}", of_rest(&mean));
        assert!((0.75..=0.87).contains(&mean.covered()), "{:?}", mean.coverage);
        assert!(mean.coverage.iter().all(|third| (0.65..=0.92).contains(third)), "{:?}", mean.coverage);
    }
}

/// An operator looks at it: one more product must not throw it to and fro.
#[test]
fn the_expected_end_of_a_noisy_run_moves_little_from_product_to_product() {
    let (_, shape) = traces::SHAPES.iter().find(|(name, _)| *name == "wave").unwrap();
    let durations = traces::trace(*shape, 2_000_003, 1_500);
    let mut pace = Pace::new();
    let mut elapsed = 0.0;
    let mut ends = Vec::new();
    for (index, duration) in durations.iter().enumerate() {
        pace.observe(Duration::from_secs_f64(*duration));
        elapsed += duration;
        let rest = pace.estimate((durations.len() - index - 1) as u64);
        ends.extend(rest.map(|rest| elapsed + rest.expected.as_secs_f64()));
    }
    let moved: f64 = ends.windows(2).map(|pair| (pair[1] / pair[0] - 1.0).abs()).sum();
    assert!(moved / (ends.len() as f64) < 0.02, "{}", moved / ends.len() as f64);
}
