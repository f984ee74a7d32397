//! A catalogue that changes while a run is stopped or its process is dead: the frozen plan is walked,
//! nothing is skipped, nothing counted twice.

use std::collections::BTreeMap;
use std::time::Duration;

use price_cache_domain::{Clock, ProductId, RunStatus};
use price_cache_engine::audit;
use price_cache_testkit::{ScriptedSource, product};
use tokio::time::sleep;

use super::harness::{Setup, counts, in_one_life};

const PRODUCTS: usize = 24;

type Change = fn(Vec<ProductId>) -> Vec<ProductId>;

/// What happens to catalogues in practice.
const CHANGES: [(&str, Change); 6] = [
    ("inserted at the head", |list| [vec![product("new-1"), product("new-2")], list].concat()),
    ("deleted at the head", |list| list[5..].to_vec()),
    ("deleted at the tail", |list| list[..7].to_vec()),
    ("reordered", |list| list.into_iter().rev().collect()),
    ("duplicated", |list| [list.clone(), list].concat()),
    ("emptied", |_| Vec::new()),
];

fn listed() -> Vec<ProductId> {
    (0..PRODUCTS).map(|index| product(&format!("p{index:04}"))).collect()
}

fn setup() -> Setup {
    let source = ScriptedSource::new().with_numbered("US", PRODUCTS).with_numbered("DE", 3);
    Setup::new(source).with_options(|options| options.resume_interrupted = false)
}

fn change(setup: &Setup, change: Change) {
    setup.source.set_products("US", change(listed()));
    setup.source.set_products("FR", vec![product("x")]);
    setup.source.set_markets(&["FR", "US", "DE", "US"]);
}

/// The rest of the run: every product of the plan as it was, each once, but for requests given up.
async fn finish(setup: &Setup, what: &str) {
    let rig = setup.open().await;
    let done = rig.whole_run().await;
    let markets: Vec<_> = done.markets.iter().map(|slot| slot.market.as_str()).collect();
    assert_eq!(markets, ["US", "DE"], "{what}");
    assert_eq!((counts(&done, "US"), counts(&done, "DE")), ((24, 24, 0), (3, 3, 0)), "{what}");
    let mut asked: BTreeMap<_, u64> = BTreeMap::new();
    for call in setup.source.calls() {
        *asked.entry((call.market.to_string(), call.product.to_string())).or_default() += 1;
    }
    assert_eq!(asked.len(), 27, "{what}: exactly the pairs of the plan");
    let repeated: u64 = asked.values().map(|requests| requests - 1).sum();
    assert!(repeated <= 1, "{what}: only the request that was under way is made again");
    assert_eq!(setup.source.market_listings(), 1, "{what}: a resumed run does not list again");
    assert!(audit(&setup.store).await.unwrap().problems.is_empty());

    // The next run takes the catalogue as it is now.
    rig.start().await;
    let next = rig.until("the next run", |snapshot| {
        snapshot.run.status() == RunStatus::Completed && snapshot.run.latest_id() > done.run.latest_id()
    });
    let markets: Vec<_> = next.await.markets.iter().map(|slot| slot.market.to_string()).collect();
    assert_eq!(markets, ["FR", "US", "DE"], "{what}");
}

#[test]
fn changes_between_stop_and_resume_do_not_touch_the_run() {
    for (what, changed) in CHANGES {
        for stopped_after in [1, 9, 23] {
            in_one_life(async {
                let setup = setup();
                let rig = setup.open().await;
                rig.start().await;
                rig.until_completed(stopped_after).await;
                assert_eq!(rig.stop().await.state, RunStatus::Paused);
                change(&setup, changed);
                let setup = rig.shut_down(Duration::from_secs(60)).await;
                finish(&setup, what).await;
            });
        }
    }
}

#[test]
fn changes_between_kill_and_resume_do_not_touch_the_run() {
    for (what, changed) in CHANGES {
        for killed_after_ms in [7, 40, 118] {
            let setup = setup();
            let now = in_one_life(async {
                let rig = setup.open().await;
                rig.start().await;
                sleep(Duration::from_millis(killed_after_ms)).await;
                rig.clock.now()
            });
            change(&setup, changed);
            let begins_at = now.plus(Duration::from_secs(60));
            let setup = Setup { store: setup.store.reopen(), begins_at, ..setup };
            in_one_life(finish(&setup, what));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_while_the_run_is_under_way_is_for_the_next_one() {
    let setup = setup();
    let rig = setup.open().await;
    rig.start().await;
    rig.until_completed(5).await;
    change(&setup, |list| list[20..].to_vec());
    let done = rig.until_status(RunStatus::Completed).await;
    assert_eq!(counts(&done, "US"), (24, 24, 0));
    assert_eq!(setup.source.requests_total(), 27);
}

#[tokio::test(start_paused = true)]
async fn a_product_that_left_the_catalogue_keeps_its_last_price_and_counts_no_more() {
    let setup = setup();
    let rig = setup.open().await;
    rig.whole_run().await;
    setup.source.set_products("US", listed()[..4].to_vec());
    rig.start().await;
    let next = rig.until("the shorter run", |snapshot| {
        snapshot.run.status() == RunStatus::Completed && snapshot.analytics().total == 7
    });
    assert_eq!(counts(&next.await, "US"), (4, 4, 0));
    assert_eq!(setup.entries().len(), 27);
    let setup = rig.shut_down(Duration::ZERO).await;
    assert_eq!(counts(&setup.open().await.handle.snapshot(), "US"), (4, 4, 0), "nor after a restart");
}
