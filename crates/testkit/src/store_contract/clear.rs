//! What a store owes to those who reset it.

use std::sync::Arc;

use price_cache_domain::{Event, PauseReason, PlanPageKey, Run, RunId, Store, Timestamp, transition};

use super::Harness;
use super::samples::{done, priced, record};
use crate::{market, product};

const RUN: RunId = RunId::from_number(41);
const PAGE: PlanPageKey = PlanPageKey { run: RUN, list: 0, page: 0 };

/// The state after a run was reset.
fn idle() -> Run {
    let now = Timestamp::from_millis(0);
    let events = [Event::Start { run: RUN }, Event::Stop { reason: PauseReason::Manual }, Event::Reset];
    events
        .into_iter()
        .fold(Run::new(), |run, event| transition(&run, event, now).unwrap_or_else(|error| panic!("{error}")))
}

async fn filled(harness: &dyn Harness) -> Arc<dyn Store> {
    let store = harness.open().await;
    let running = transition(&Run::new(), Event::Start { run: RUN }, Timestamp::from_millis(0));
    done("save_run", store.save_run(running.unwrap_or_else(|error| panic!("{error}")))).await;
    done("save_plan_page", store.save_plan_page(PAGE, vec![product("a"), product("b")])).await;
    for (number, id) in (0_u32..).zip(["US", "DE", "FR"]) {
        record(&*store, &market(id), &product("a"), &priced(number)).await;
    }
    store
}

/// After a clear there is the given run and nothing else, and the store takes new records.
pub async fn clear_deletes_everything_and_sets_the_run(harness: &dyn Harness) {
    let mut store = filled(harness).await;
    let (us, a) = (market("US"), product("a"));
    // Twice, because the second one clears what was written after the first.
    for round in 1..=2 {
        done("clear", store.clear(idle(), false)).await;
        for reopened in [false, true] {
            if reopened {
                store = harness.reopen(store).await;
            }
            let context = format!("round {round}, reopened: {reopened}");
            assert_eq!(done("load_run", store.load_run()).await, idle(), "{context}");
            assert_eq!(done("plan_page", store.plan_page(PAGE)).await, None, "{context}");
            assert_eq!(done("markets", store.markets()).await, [], "{context}");
            assert_eq!(done("entries", store.entries(&us, None, 10)).await, [], "{context}");
            let found = done("entries_of", store.entries_of(&us, std::slice::from_ref(&a))).await;
            assert_eq!(found, [None], "{context}");
        }
        record(&*store, &us, &a, &priced(9)).await;
        assert_eq!(done("markets", store.markets()).await, std::slice::from_ref(&us));
        store = harness.reopen(store).await;
        let found = done("entries_of", store.entries_of(&us, std::slice::from_ref(&a))).await;
        assert_eq!(found, [Some(priced(9))], "a record after the clear stays");
    }
}

/// A clear that keeps the prices deletes run and plans alone.
pub async fn clear_may_keep_the_prices(harness: &dyn Harness) {
    let mut store = filled(harness).await;
    done("clear", store.clear(idle(), true)).await;
    for reopened in [false, true] {
        if reopened {
            store = harness.reopen(store).await;
        }
        assert_eq!(done("load_run", store.load_run()).await, idle(), "reopened: {reopened}");
        assert_eq!(done("plan_page", store.plan_page(PAGE)).await, None, "reopened: {reopened}");
        for (number, id) in (0_u32..).zip(["US", "DE", "FR"]) {
            let found = done("entries_of", store.entries_of(&market(id), &[product("a")])).await;
            assert_eq!(found, [Some(priced(number))], "reopened: {reopened}");
        }
    }
    let page = vec![product("z")];
    done("save_plan_page", store.save_plan_page(PAGE, page.clone())).await;
    let store = harness.reopen(store).await;
    assert_eq!(
        done("plan_page", store.plan_page(PAGE)).await,
        Some(page),
        "a page saved after the clear stays"
    );
}
