//! What each command does in each state.

use std::sync::atomic::Ordering;
use std::time::Duration;

use price_cache_domain::{PauseReason, RetryFilter, RunStatus};
use price_cache_engine::CommandError;
use price_cache_testkit::ScriptedSource;
use tokio::time::Instant;

use super::harness::{Rig, Setup, counts, limited, operator, pause_of, refusal, revoked_after};

/// What a stop may take.
const STOP_MAX: Duration = Duration::from_millis(250);

async fn walking(products: usize) -> Rig {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", products)).open().await;
    rig.start().await;
    rig.until_completed(1).await;
    rig
}

#[tokio::test(start_paused = true)]
async fn start_reset_and_retry_are_refused_while_the_run_is_under_way() {
    let source = ScriptedSource::new().with_numbered("US", 5);
    source.hang_listings();
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    for (state, next) in [(RunStatus::Initializing, false), (RunStatus::Processing, true)] {
        if next {
            source.hang("US", "p0002");
            source.release_listings();
            rig.until_status(RunStatus::Processing).await;
        }
        for result in [
            rig.handle.start(operator()).await,
            rig.handle.reset(operator(), false).await,
            rig.handle.retry_failed(operator(), RetryFilter::default()).await,
        ] {
            let (found, message) = refusal(result);
            assert_eq!(found, state);
            assert!(message.contains("stop it first"), "{message}");
        }
        assert_eq!(rig.status(), state);
    }
    source.release("US", "p0002");
    rig.until_status(RunStatus::Completed).await;
    assert_eq!(source.requests_total(), 5, "the refused commands changed nothing");
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_what_does_not_run_changes_nothing_and_says_so() {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", 2)).open().await;
    for expected in [RunStatus::Idle, RunStatus::Completed] {
        let accepted = rig.stop().await;
        assert_eq!((accepted.state, accepted.changed), (expected, false));
        assert!(accepted.message.contains(expected.name()), "{}", accepted.message);
        if expected == RunStatus::Idle {
            rig.whole_run().await;
        }
    }
    let rig = walking(50).await;
    assert!(rig.stop().await.changed);
    let again = rig.stop().await;
    assert_eq!((again.state, again.changed), (RunStatus::Paused, false));
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_effect_at_once_while_the_lists_hang() {
    let source = ScriptedSource::new().with_numbered("US", 5);
    source.hang_listings();
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = Instant::now();
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    assert!(asked.elapsed() < STOP_MAX);
    source.release_listings();
    assert_eq!(rig.start().await.state, RunStatus::Initializing, "there is no plan yet");
    rig.until_status(RunStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_effect_at_once_while_a_request_hangs() {
    let source = ScriptedSource::new().with_numbered("US", 5);
    source.hang("US", "p0003");
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    rig.until_completed(3).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let asked = Instant::now();
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    assert!(asked.elapsed() < STOP_MAX);
    assert_eq!((source.in_flight("US"), source.cancelled()), (0, 1), "the hung request was given up");
    assert_eq!(counts(&rig.handle.snapshot(), "US"), (5, 3, 0));
    source.release("US", "p0003");
    assert_eq!(rig.start().await.state, RunStatus::Processing, "the plan is kept");
    rig.until_status(RunStatus::Completed).await;
    assert_eq!((source.requests("US", "p0003"), source.requests_total()), (2, 6));
    assert_eq!(source.market_listings(), 1, "a resumed run lists nothing again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_effect_at_once_in_a_long_wait_that_the_upstream_asked_for_and_still_gets() {
    let source = ScriptedSource::new().with_numbered("US", 3);
    source.script("US", "p0001", [Err(limited(Duration::from_secs(60)))]);
    let rig = Setup::new(source).open().await;
    rig.start().await;
    rig.until_completed(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    assert!(asked.elapsed() < STOP_MAX);
    let begun = Instant::now();
    rig.start().await;
    rig.until_status(RunStatus::Completed).await;
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(58) && waited < Duration::from_secs(60), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_any_moment_of_a_run_pauses_it_or_finds_it_complete() {
    // Two markets of two products at 5 ms each: the moments cover requests, completions and the change of market.
    for moment_ms in 0..24 {
        let source = ScriptedSource::new().with_numbered("US", 2).with_numbered("DE", 2);
        let rig = Setup::new(source).open().await;
        rig.start().await;
        tokio::time::sleep(Duration::from_millis(moment_ms)).await;
        let asked = Instant::now();
        let state = rig.stop().await.state;
        assert!(asked.elapsed() < STOP_MAX);
        let expected = if moment_ms <= 20 { RunStatus::Paused } else { RunStatus::Completed };
        assert!(state == expected || moment_ms == 20, "{state} after {moment_ms} ms");
        if state == RunStatus::Paused {
            rig.whole_run().await;
        }
        let source = &rig.setup.source;
        assert_eq!(rig.handle.snapshot().analytics().successful, 4);
        assert_eq!(source.requests_total(), 4 + source.cancelled());
    }
}

#[tokio::test(start_paused = true)]
async fn two_stops_at_once_are_both_answered() {
    let rig = walking(50).await;
    let (one, other) = tokio::join!(rig.handle.stop(operator()), rig.handle.stop(operator()));
    assert_eq!([one.unwrap().state, other.unwrap().state], [RunStatus::Paused; 2]);
    assert_eq!(pause_of(&rig.handle.snapshot()), PauseReason::Manual);
}

#[tokio::test(start_paused = true)]
async fn reset_deletes_run_logs_plans_and_prices_unless_they_are_to_be_kept() {
    let source = ScriptedSource::new().with_numbered("US", 3);
    let rig = Setup::new(source).open().await;
    for keep_prices in [true, false] {
        let last = rig.whole_run().await.run.latest_id();
        assert_eq!(rig.handle.reset(operator(), keep_prices).await.unwrap().state, RunStatus::Idle);
        let snapshot = rig.handle.snapshot();
        assert!(snapshot.markets.is_empty() && rig.log_ids().is_empty());
        assert_eq!(rig.setup.store.plan_pages(), 0);
        assert_eq!(rig.setup.entries().len(), if keep_prices { 3 } else { 0 });
        assert_eq!(snapshot.run.latest_id(), last, "run ids are not used twice");
    }
    assert_eq!(rig.handle.reset(operator(), false).await.unwrap().state, RunStatus::Idle, "also in IDLE");
}

#[tokio::test(start_paused = true)]
async fn reset_works_from_paused() {
    let rig = walking(50).await;
    rig.stop().await;
    rig.handle.reset(operator(), true).await.unwrap();
    assert!(!rig.setup.entries().is_empty());
    let done = rig.whole_run().await;
    assert_eq!(counts(&done, "US"), (50, 50, 0), "outcomes of the run before do not count");
}

#[tokio::test(start_paused = true)]
async fn logs_are_cleared_in_every_state_and_stay_away_after_a_restart() {
    let rig = Setup::new(ScriptedSource::new().with_numbered("US", 10)).open().await;
    rig.handle.clear_logs(operator()).await.unwrap();
    rig.start().await;
    rig.until_completed(4).await;
    rig.handle.clear_logs(operator()).await.unwrap();
    assert_eq!((rig.status(), rig.log_ids().len()), (RunStatus::Processing, 0));
    rig.until_completed(7).await;
    rig.stop().await;
    let shown = rig.log_ids();
    assert!(!shown.is_empty() && shown.len() <= 4, "{shown:?}");
    let setup = rig.kill(Duration::from_secs(5)).await;
    let rig = setup.open().await;
    assert_eq!(rig.log_ids(), shown);
    rig.handle.clear_logs(operator()).await.unwrap();
    let rig = rig.kill(Duration::ZERO).await.open().await;
    assert!(rig.log_ids().is_empty());
    rig.whole_run().await;
    rig.handle.clear_logs(operator()).await.unwrap();
    assert_eq!((rig.log_ids().len(), rig.handle.request_log().stats().total), (0, 0));
    let rig = rig.kill(Duration::ZERO).await.open().await;
    assert!(rig.log_ids().is_empty());
    assert_eq!(counts(&rig.handle.snapshot(), "US"), (10, 10, 0), "the counters are no logs");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_pauses_the_run_which_goes_on_by_itself_if_so_configured() {
    for resume in [true, false] {
        let rig = walking(30).await;
        let mut setup = rig.shut_down(Duration::from_secs(100)).await;
        setup.options.resume_interrupted = resume;
        let rig = setup.open().await;
        if resume {
            rig.until_status(RunStatus::Completed).await;
        } else {
            tokio::time::sleep(Duration::from_secs(1_000)).await;
            assert_eq!(pause_of(&rig.handle.snapshot()), PauseReason::Shutdown);
            rig.whole_run().await;
        }
        assert_eq!(counts(&rig.handle.snapshot(), "US"), (30, 30, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_stopped_stays_stopped_over_a_restart() {
    let rig = walking(30).await;
    rig.stop().await;
    let setup = rig.shut_down(Duration::from_secs(100)).await;
    assert!(setup.options.resume_interrupted);
    let rig = setup.open().await;
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert_eq!(pause_of(&rig.handle.snapshot()), PauseReason::Manual);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_during_a_stop_by_a_person_leaves_it_one_and_all_are_answered() {
    let rig = walking(30).await;
    let (stop, first, second) = tokio::join!(
        rig.handle.stop(operator()),
        rig.handle.shutdown(operator()),
        rig.handle.shutdown(operator())
    );
    for answer in [stop, first, second] {
        assert_eq!(answer.unwrap().state, RunStatus::Paused);
    }
    assert_eq!(pause_of(&rig.handle.snapshot()), PauseReason::Manual);
    assert_eq!(rig.handle.start(operator()).await, Err(CommandError::Closed));
}

#[tokio::test(start_paused = true)]
async fn the_service_ends_with_its_last_handle() {
    let rig = walking(30).await;
    let source = rig.setup.source.clone();
    drop(rig.handle);
    rig.task.await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = source.requests_total();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(source.requests_total(), asked, "nobody goes on fetching");
}

#[tokio::test(start_paused = true)]
async fn logs_are_cleared_while_the_lists_are_made_and_in_error_too() {
    let source = ScriptedSource::new().with_numbered("US", 9);
    source.hang_listings();
    let rig = Setup::new(source.clone()).open().await;
    rig.start().await;
    let cleared = rig.handle.clear_logs(operator()).await.unwrap();
    assert_eq!(cleared.state, RunStatus::Initializing);
    let key = revoked_after(&source, 3);
    source.release_listings();
    rig.until_status(RunStatus::Error).await;
    assert_eq!(rig.log_ids().len(), 3);
    assert_eq!(rig.handle.clear_logs(operator()).await.unwrap().state, RunStatus::Error);
    let rig = rig.kill(Duration::ZERO).await.open().await;
    assert_eq!((rig.status(), rig.log_ids().len()), (RunStatus::Error, 0));
    key.store(true, Ordering::SeqCst);
    rig.whole_run().await;
    assert_eq!(rig.log_ids().len(), 6, "what is fetched afterwards is logged");
}
