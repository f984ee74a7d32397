//! When the run will be done: absent rather than wrong, and not thrown by pauses.

use std::num::NonZeroUsize;
use std::time::Duration;

use price_cache_domain::RunStatus;
use price_cache_engine::{Estimate, Pace, Snapshot};
use price_cache_testkit::ScriptedSource;
use tokio::time::{Instant, sleep};

use super::harness::{Setup, market_of};

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

fn expected_s(snapshot: &Snapshot) -> f64 {
    snapshot.total_estimate().unwrap().expected.as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_before_anything_is_known_and_zero_when_all_is_done() {
    let setup = steady(&[("US", 5)], 1);
    setup.source.hang_listings();
    let rig = setup.open().await;
    assert_eq!(rig.handle.snapshot().total_estimate(), None, "in IDLE");
    rig.start().await;
    assert_eq!(rig.handle.snapshot().total_estimate(), None, "in INITIALIZING");
    setup.source.release_listings();
    let planned = rig.until_status(RunStatus::Processing).await;
    assert_eq!(planned.total_estimate(), None, "before the first product");
    let first = rig.until_completed(3).await;
    assert!((expected_s(&first) - 2.0).abs() < 0.01, "{:?}", first.total_estimate());
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(done.total_estimate(), Some(Estimate::DONE));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_products_is_done_and_needs_no_pace_to_say_so() {
    let done = steady(&[("US", 0)], 1).open().await.whole_run().await;
    assert_eq!(done.total_estimate(), Some(Estimate::DONE));
}

#[tokio::test(start_paused = true)]
async fn the_estimate_of_a_steady_run_comes_true_and_pauses_do_not_enter_it() {
    let rig = steady(&[("US", 60), ("DE", 40)], 1).open().await;
    rig.start().await;
    rig.until_completed(30).await;
    rig.stop().await;
    sleep(Duration::from_secs(36_000)).await;
    let paused = rig.handle.snapshot();
    assert!((expected_s(&paused) - 70.0).abs() < 1.0, "{:?}", paused.total_estimate());
    rig.start().await;
    let resumed = rig.until_completed(31).await;
    let asked = Instant::now();
    let expected = expected_s(&resumed);
    rig.until_status(RunStatus::Completed).await;
    assert!((asked.elapsed().as_secs_f64() - expected).abs() < 2.0, "{expected}");
}

#[tokio::test(start_paused = true)]
async fn downtime_does_not_enter_the_estimate() {
    let rig = steady(&[("US", 60)], 1).open().await;
    rig.start().await;
    rig.until_completed(30).await;
    let setup = rig.kill(Duration::from_secs(86_400)).await;
    let found = setup.open().await.handle.snapshot();
    assert!((expected_s(&found) - 30.0).abs() < 1.5, "{:?}", found.total_estimate());
}

#[tokio::test(start_paused = true)]
async fn a_market_whose_turn_has_not_come_is_expected_to_keep_the_pace_of_the_others() {
    let rig = steady(&[("US", 10), ("DE", 20)], 1).open().await;
    rig.start().await;
    let snapshot = rig.until_completed(5).await;
    let waiting = snapshot.market_estimate(market_of(&snapshot, "DE"), snapshot.overall_pace()).unwrap();
    assert!((waiting.expected.as_secs_f64() - 20.0).abs() < 0.5, "{waiting:?}");
}

#[tokio::test(start_paused = true)]
async fn markets_walked_at_once_share_the_time_but_the_longest_sets_its_end() {
    let even = steady(&[("A", 40), ("B", 40), ("C", 40), ("D", 40)], 4).open().await;
    even.start().await;
    let snapshot = even.until_completed(40).await;
    assert!((expected_s(&snapshot) - 30.0).abs() < 1.5, "{:?}", snapshot.total_estimate());
    let uneven = steady(&[("A", 100), ("B", 10)], 2).open().await;
    uneven.start().await;
    let snapshot = uneven.until_completed(20).await;
    assert!((expected_s(&snapshot) - 90.0).abs() < 2.0, "{:?}", snapshot.total_estimate());
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
