//! The catalogue changes while a run is paused: the frozen plan is walked to its end.

use std::collections::BTreeMap;

use anyhow::ensure;
use price_cache_simulator::{Catalogue, Product};
use price_cache_tests::{Settings, StatusView};

use crate::stage::Stage;

const PRODUCTS: u32 = 200;
/// Products that the plan names and that are gone before they are asked for.
const REMOVED: [(&str, &str); 2] = [("M002", "product-0000150"), ("M003", "product-0000001")];

/// Everything that a catalogue can do to a plan.
fn change(catalogue: &mut Catalogue) {
    for market in ["M001", "M002", "M003"] {
        catalogue.insert_at_head(market, Product::new("new", "1.00", "EUR"));
        catalogue.reverse_products(market);
        catalogue.duplicate_product(market, "product-0000007");
    }
    // One that has its outcome, and two that have not.
    catalogue.remove_product("M001", "product-0000003");
    for (market, product) in REMOVED {
        catalogue.remove_product(market, product);
    }
    catalogue.edit_markets(|markets| {
        markets.reverse();
        markets.extend(Catalogue::synthetic(4, 5).markets().last().cloned());
    });
}

async fn survive(is_killed: bool) -> anyhow::Result<()> {
    let settings = Settings { parallel_markets: 1, ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(3, PRODUCTS), &settings).await?;
    let plan: Vec<(String, String)> = (1..=3)
        .flat_map(|market| (1..=PRODUCTS).map(move |product| (market, product)))
        .map(|(market, product)| (format!("M{market:03}"), format!("product-{product:07}")))
        .collect();
    stage.slow_down(1);
    let mut server = stage.scene.server().await?;
    server.api.start().await?;
    // In the middle of the second market.
    stage.requests(PRODUCTS + 50).await?;
    let shown = server.api.status().await?;
    if is_killed {
        server.kill().await?;
        stage.simulator.catalogue_mut(change);
        server = stage.scene.server().await?;
    } else {
        server.api.command("stop").await?;
        server.api.state("PAUSED").await?;
        stage.simulator.catalogue_mut(change);
        server.api.start().await?;
    }
    let lists: u32 = stage.simulator.ledger().listings;
    let done = server.api.state("COMPLETED").await?;
    done.continues(&shown)?;
    ensure!(stage.simulator.ledger().listings == lists, "a resumed run does not list again");

    ensure!(done.completed() == plan.len() as u64 && done.total() == plan.len() as u64, "{:#}", done.json);
    ensure!(done.failed() == REMOVED.len() as u64, "what is sold no more has no price: {:#}", done.json);
    let ledger = stage.simulator.ledger();
    for (market, product) in &plan {
        ensure!(ledger.requests(market, product) >= 1, "{market}/{product} was skipped");
    }
    ensure!(
        ledger.requests("M001", "new") == 0 && ledger.market_requests("M004") == 0,
        "they are of the next run"
    );
    let repeated = ledger.total_requests() - u32::try_from(plan.len())?;
    let most = if is_killed { 16 } else { 1 };
    ensure!(repeated <= most, "{repeated} requests were repeated");
    let failed = server.api.failed_products().await?;
    for (failure, (market, product)) in failed.iter().zip(REMOVED) {
        ensure!(failure["market"] == market && failure["product"] == product, "{failure}");
        ensure!(failure["class"] == "not_found", "{failure}");
    }
    ensure!(server.terminate().await? == Some(0), "it ends well");
    stage.scene.run(&["doctor"]).await?.expect(0)?;

    // The next run walks the catalogue of now, in which one product is named twice.
    let server = stage.scene.server().await?;
    server.api.start().await?;
    let next = server.api.status_where("the next run", is_next_complete).await?;
    let totals: BTreeMap<&str, u64> =
        next.markets.iter().map(|(id, market)| (id.as_str(), market.total)).collect();
    ensure!(totals == [("M001", 200), ("M002", 200), ("M003", 200), ("M004", 5)].into(), "{totals:?}");
    Ok(())
}

fn is_next_complete(status: &StatusView) -> bool {
    status.state == "COMPLETED" && status.markets.len() == 4
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_between_stop_and_start_skip_nothing_and_count_nothing_twice() -> anyhow::Result<()> {
    survive(false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_between_a_kill_and_the_restart_skip_nothing_and_count_nothing_twice() -> anyhow::Result<()> {
    survive(true).await
}
