//! Reads of the cache: what it holds, market by market, and what failed, page by page.

use std::time::Duration;

use price_cache_domain::FailureClass;
use price_cache_engine::{AuditProblem, FailedProductsCursor, audit};
use price_cache_testkit::{ScriptedSource, market, product};
use tokio::time::sleep;

use super::harness::{Rig, Setup, fault, operator};

/// A completed run in which every third product failed.
async fn a_third_failed() -> Rig {
    let source = ScriptedSource::new().with_numbered("US", 9).with_numbered("DE", 6);
    for (id, count) in [("US", 9), ("DE", 6)] {
        for index in (0..count).step_by(3) {
            source.script(id, &format!("p{index:04}"), [Err(fault(FailureClass::NotFound))]);
        }
    }
    let rig = Setup::new(source).open().await;
    rig.whole_run().await;
    rig
}

#[tokio::test(start_paused = true)]
async fn markets_are_summed_up_and_not_counted_anew_for_every_reader() {
    let rig = a_third_failed().await;
    let reader = rig.handle.reader();
    let markets = reader.markets().await.unwrap();
    let summed: Vec<_> =
        markets.iter().map(|sum| (sum.market.as_str(), sum.prices, sum.without_price)).collect();
    assert_eq!(summed, [("DE", 4, 2), ("US", 6, 3)]);
    assert!(markets.iter().all(|sum| sum.oldest < sum.newest));
    let before = rig.setup.store.operations();
    reader.markets().await.unwrap();
    assert_eq!(rig.setup.store.operations(), before);
    sleep(Duration::from_secs(6)).await;
    reader.markets().await.unwrap();
    assert!(rig.setup.store.operations() > before);
    assert!(
        reader.has_market(&market("US")).await.unwrap() && !reader.has_market(&market("FR")).await.unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_reset_nobody_is_told_of_prices_that_are_gone() {
    let rig = a_third_failed().await;
    assert!(!rig.handle.reader().markets().await.unwrap().is_empty());
    rig.handle.reset(operator(), false).await.unwrap();
    assert_eq!(rig.handle.reader().markets().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn entries_and_failed_products_come_in_pages_that_join_without_a_gap() {
    let rig = a_third_failed().await;
    let reader = rig.handle.reader();
    let (us, mut after, mut ids) = (market("US"), None, Vec::new());
    loop {
        let page = reader.entries(&us, after.as_ref(), 4).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        ids.extend(page.into_iter().map(|(product, _)| product.to_string()));
    }
    assert_eq!(ids, (0..9).map(|index| format!("p{index:04}")).collect::<Vec<_>>());

    let run = rig.handle.snapshot().run.latest_id().unwrap();
    let markets = [us, market("DE")];
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = reader.failed_products(run, &markets, None, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(FailedProductsCursor { market: last.market.clone(), product: last.product.clone() });
        found.extend(page.iter().map(|failed| format!("{}/{}", failed.market, failed.product)));
    }
    assert_eq!(found, ["US/p0000", "US/p0003", "US/p0006", "DE/p0000", "DE/p0003"]);
    let timeouts = reader.failed_products(run, &markets, Some(FailureClass::Timeout), None, 9);
    assert_eq!(timeouts.await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn an_audit_finds_a_record_that_no_plan_knows_and_a_page_that_is_gone() {
    let rig = a_third_failed().await;
    let store = &rig.setup.store;
    assert_eq!(audit(store).await.unwrap().problems, []);
    let stray = rig.setup.entries().remove(&("US".to_owned(), "p0001".to_owned())).unwrap();
    price_cache_domain::Store::record(store, &market("US"), &product("stray"), stray).await.unwrap();
    let problems = audit(store).await.unwrap().problems;
    assert!(problems.contains(&AuditProblem::NotInPlan(market("US"), product("stray"))), "{problems:?}");
    price_cache_domain::Store::drop_plans_except(store, None).await.unwrap();
    let problems = audit(store).await.unwrap().problems;
    assert!(problems.iter().any(|problem| matches!(problem, AuditProblem::MissingPage(_))), "{problems:?}");
    assert!(problems.iter().all(|problem| !problem.to_string().is_empty()));
}
