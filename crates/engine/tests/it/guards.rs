//! Guards that veto transitions and hooks that see them: whatever a guard forbids, nobody waits for ever.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use price_cache_domain::{Change, EventKind, FailureClass, RunFailureClass, RunStatus, RunTable, Veto};
use price_cache_testkit::ScriptedSource;
use tokio::time::sleep;

use super::harness::{Rig, Setup, counts, failure_of, fault, operator, refusal};

/// A service on which the `forbidden` times that this event is asked about are vetoed, counted from 1.
async fn guarded(event: EventKind, forbidden: std::ops::RangeInclusive<u32>, source: ScriptedSource) -> Rig {
    let setup = Setup::new(source);
    let (service, clock) = setup.service();
    let asked = AtomicU32::new(0);
    let service = service.with_guard(move |change: &Change<'_, RunTable>| {
        if change.event.kind() == event && forbidden.contains(&(asked.fetch_add(1, Ordering::SeqCst) + 1)) {
            return Err(Veto("prices are frozen until Monday".to_owned()));
        }
        Ok(())
    });
    setup.run(service, clock).await
}

fn source() -> ScriptedSource {
    ScriptedSource::new().with_numbered("US", 8)
}

#[tokio::test(start_paused = true)]
async fn a_start_that_a_guard_vetoes_is_refused_in_its_words() {
    let rig = guarded(EventKind::Start, 1..=1, source()).await;
    let refused = refusal(rig.handle.start(operator()).await);
    assert_eq!(refused, (RunStatus::Idle, "prices are frozen until Monday".to_owned()));
    rig.whole_run().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_a_guard_vetoes_leaves_the_run_as_it_is() {
    let rig = guarded(EventKind::Stop, 1..=1, source()).await;
    rig.start().await;
    rig.until_completed(2).await;
    assert_eq!(refusal(rig.handle.stop(operator()).await).0, RunStatus::Processing);
    assert!(!rig.handle.snapshot().stop_requested);
    rig.until_status(RunStatus::Completed).await;
    assert_eq!(rig.setup.source.requests_total(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_changes_its_mind_during_a_stop_keeps_nobody_waiting() {
    let rig = guarded(EventKind::Stop, 2..=2, source()).await;
    rig.start().await;
    rig.until_completed(2).await;
    assert_eq!(refusal(rig.handle.stop(operator()).await).0, RunStatus::Processing);
    assert_eq!(rig.stop().await.state, RunStatus::Paused);
    rig.whole_run().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_the_service_whatever_a_guard_says() {
    let rig = guarded(EventKind::Stop, 1..=u32::MAX, source()).await;
    rig.start().await;
    rig.until_completed(2).await;
    assert!(rig.handle.shutdown(operator()).await.is_err());
    rig.task.await.unwrap();
    let again = Setup { store: rig.setup.store.reopen(), ..rig.setup }.open().await;
    assert_eq!(counts(&again.until_status(RunStatus::Completed).await, "US"), (8, 8, 0));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_a_guard_vetoes_is_an_error_that_tries_again() {
    for event in [EventKind::PlanComplete, EventKind::LastMarketDone] {
        let rig = guarded(event, 1..=2, source()).await;
        rig.start().await;
        let failure = failure_of(&rig.until_status(RunStatus::Error).await);
        assert_eq!(failure.class, RunFailureClass::Internal);
        assert!(failure.message.contains("frozen until Monday"), "{}", failure.message);
        rig.until_status(RunStatus::Completed).await;
        assert_eq!(rig.setup.source.requests_total(), 8);
    }
}

#[tokio::test(start_paused = true)]
async fn an_automatic_retry_that_a_guard_vetoes_comes_later() {
    let source = source();
    source.fail_listings(vec![fault(FailureClass::Timeout); 3]);
    let rig = guarded(EventKind::RetryDue, 1..=3, source).await;
    rig.start().await;
    rig.until_status(RunStatus::Error).await;
    sleep(Duration::from_secs(3)).await;
    assert!(rig.status() == RunStatus::Error && rig.handle.snapshot().retry_at.is_some());
    rig.until_status(RunStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_sees_every_transition_with_who_caused_it() {
    let setup = Setup::new(ScriptedSource::new().with_numbered("US", 2));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (service, clock) = setup.service();
    let log = Arc::clone(&seen);
    let service = service.with_hook(move |change: &Change<'_, RunTable>| {
        let (from, to) = (change.from.status(), change.to.status());
        log.lock().unwrap().push(format!("{from} {} {to} {}", change.event.kind(), change.actor));
    });
    let rig = setup.run(service, clock).await;
    rig.whole_run().await;
    rig.handle.reset(operator(), false).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "IDLE start INITIALIZING operator",
            "INITIALIZING plan complete PROCESSING engine",
            "PROCESSING product done PROCESSING engine",
            "PROCESSING product done PROCESSING engine",
            "PROCESSING market done PROCESSING engine",
            "PROCESSING last market done COMPLETED engine",
            "COMPLETED reset IDLE operator",
        ]
    );
}
