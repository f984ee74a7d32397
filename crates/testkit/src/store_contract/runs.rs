//! What a store owes to the run.

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Event, FailureClass, MarketPlan, Pass, PauseReason, Plan, RetryFilter, Run, RunFailure, RunFailureClass,
    RunId, RunRecord, RunStatus, Timestamp,
};

use super::Harness;
use super::samples::{ODD_IDS, done};
use crate::market;

fn plan(markets: usize, id: impl Fn(usize) -> String) -> Arc<Plan> {
    let markets = (0..markets).map(|index| {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        MarketPlan {
            market: market(&id(index)),
            list: number,
            pages: number + 1,
            total: u64::MAX >> index.min(60),
        }
    });
    let plan = Plan::new(markets.collect()).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(plan)
}

fn odd_plan() -> Arc<Plan> {
    plan(ODD_IDS.len(), |index| ODD_IDS[index].to_owned())
}

/// A run in a state with everything filled that the state has.
fn run(status: RunStatus, plan: Option<Arc<Plan>>, change: impl FnOnce(&mut RunRecord)) -> Run {
    let mut record = RunRecord {
        status,
        run: Some(RunId::from_number(1_767_225_600_000)),
        started_at: Some(Timestamp::from_millis(1_767_225_600_123)),
        since: Some(Timestamp::from_millis(-5)),
        active_before: Duration::from_nanos(98_765_432_123_456),
        pass: Pass::first(),
        logs_cleared_at: Some(Timestamp::from_millis(0)),
        plan,
        pause_reason: Some(PauseReason::Interrupted),
        failure: Some(RunFailure {
            class: RunFailureClass::Upstream,
            message: "every market is parked: \"503\" …".to_owned(),
            retry_at: Some(Timestamp::from_millis(i64::MAX)),
        }),
    };
    change(&mut record);
    Run::try_from(record).unwrap_or_else(|error| panic!("{error}"))
}

async fn comes_back(harness: &dyn Harness, run: Run) {
    let store = harness.open().await;
    done("save_run", store.save_run(run.clone())).await;
    assert_eq!(done("load_run", store.load_run()).await, run);
    let store = harness.reopen(store).await;
    assert_eq!(done("load_run", store.load_run()).await, run, "after reopening");
}

/// A store that was never written to has the run [`Run::new`], no market and no entry.
pub async fn a_new_store_is_idle(harness: &dyn Harness) {
    let store = harness.open().await;
    assert_eq!(done("load_run", store.load_run()).await, Run::new());
    assert_eq!(done("markets", store.markets()).await, []);
    assert_eq!(done("entries", store.entries(&market("US"), None, 10)).await, []);
    let store = harness.reopen(store).await;
    assert_eq!(done("load_run", store.load_run()).await, Run::new(), "after reopening");
}

/// Each of the six states is loaded as it was saved, with its plan, reasons and times.
pub async fn every_state_comes_back(harness: &dyn Harness) {
    for status in RunStatus::ALL {
        comes_back(harness, run(status, Some(odd_plan()), |_| {})).await;
    }
    let idle = |id| run(RunStatus::Idle, None, move |record| record.run = id);
    comes_back(harness, idle(None)).await;
    comes_back(harness, idle(Some(RunId::from_number(u64::MAX)))).await;
    for reason in PauseReason::ALL {
        comes_back(harness, run(RunStatus::Paused, None, |record| record.pause_reason = Some(reason))).await;
    }
    for class in RunFailureClass::ALL {
        let failure = RunFailure { class, message: String::new(), retry_at: None };
        comes_back(harness, run(RunStatus::Error, None, |record| record.failure = Some(failure))).await;
    }
    comes_back(
        harness,
        run(RunStatus::Initializing, None, |record| {
            record.active_before = Duration::MAX;
            record.logs_cleared_at = None;
            record.started_at = Some(Timestamp::from_millis(i64::MIN));
        }),
    )
    .await;
}

/// A pass with its number and every kind of filter is loaded as it was saved.
pub async fn retry_filters_come_back(harness: &dyn Harness) {
    let filters = [
        RetryFilter::default(),
        RetryFilter { market: Some(market(" a market\u{a0}")), class: None },
        RetryFilter { market: Some(market("US")), class: Some(FailureClass::Timeout) },
    ];
    let by_class = FailureClass::ALL.map(|class| RetryFilter { market: None, class: Some(class) });
    for (number, filter) in (2_u32..).zip(filters.into_iter().chain(by_class)) {
        let pass = Pass { number, unfinished: number % 2 == 0, retry: Some(filter) };
        comes_back(harness, run(RunStatus::Processing, Some(odd_plan()), |record| record.pass = pass)).await;
    }
}

/// A saved run takes the place of the one before, also when transitions follow each other.
pub async fn the_last_saved_run_wins(harness: &dyn Harness) {
    let store = harness.open().await;
    let now = Timestamp::from_millis(1_767_225_600_000);
    let mut run = Run::new();
    let events = [
        Event::Start { run: RunId::from_number(9) },
        Event::PlanComplete { plan: odd_plan() },
        Event::Stop { reason: PauseReason::Manual },
        Event::Start { run: RunId::from_number(10) },
        Event::LastMarketDone,
        Event::Reset,
    ];
    for event in events {
        run = price_cache_domain::transition(&run, event, now).unwrap_or_else(|error| panic!("{error}"));
        done("save_run", store.save_run(run.clone())).await;
        assert_eq!(done("load_run", store.load_run()).await, run);
    }
    let store = harness.reopen(store).await;
    assert_eq!(done("load_run", store.load_run()).await, run, "after reopening");
}

/// A plan with 500 markets and ids as long as they may be comes back, and leaves nothing behind when a
/// smaller one takes its place.
pub async fn a_large_plan_comes_back_and_gives_way_to_a_small_one(harness: &dyn Harness) {
    let store = harness.open().await;
    let large = plan(500, |index| format!("{index:0>512}"));
    let large = run(RunStatus::Processing, Some(large), |_| {});
    done("save_run", store.save_run(large.clone())).await;
    assert_eq!(done("load_run", store.load_run()).await, large);
    let store = harness.reopen(store).await;
    assert_eq!(done("load_run", store.load_run()).await, large, "after reopening");
    let small = run(RunStatus::Processing, Some(plan(1, |_| "US".to_owned())), |_| {});
    done("save_run", store.save_run(small.clone())).await;
    assert_eq!(done("load_run", store.load_run()).await, small);
    let store = harness.reopen(store).await;
    assert_eq!(done("load_run", store.load_run()).await, small, "after reopening");
}
