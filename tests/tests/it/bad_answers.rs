//! Answers that are no price fail their product, are never cached, and end no run.

use anyhow::{Context, ensure};
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::Settings;
use price_cache_tests::sources::Source;

use crate::stage::Stage;

/// Status 200, and not a price.
const NO_PRICES: [FaultKind; 9] = [
    FaultKind::NullPrice,
    FaultKind::NegativePrice,
    FaultKind::NanPrice,
    FaultKind::CommaPrice,
    FaultKind::HugePrice,
    FaultKind::WrongCurrency,
    FaultKind::Html,
    FaultKind::Empty,
    FaultKind::BadJson,
];
const MARKET: &str = "M001";
const PRODUCTS: u32 = 30;

fn product(number: usize) -> String {
    format!("product-{number:07}")
}

/// Every third product answers with one of the faults.
fn faults() -> (Faults, Vec<String>) {
    let failing: Vec<String> = (0..NO_PRICES.len()).map(|index| product(index * 3 + 1)).collect();
    let pairs = failing.iter().zip(NO_PRICES);
    (Faults::always(pairs.map(|(product, kind)| FixedFault::pair(MARKET, product, kind))), failing)
}

async fn refuse(query: &str) -> anyhow::Result<()> {
    let settings = Settings { end_of_market_retry: false, ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(1, PRODUCTS), &settings).await?;
    let source = Source::rest(&stage.simulator.base_url()).price_query(query);
    stage.scene.configure(&source.to_string(), &settings)?;
    let (faults, failing) = faults();
    stage.simulator.set_faults(faults)?;
    let server = stage.completed().await?;
    let status = server.api.status().await?;
    ensure!(status.completed() == u64::from(PRODUCTS), "a failed product ends no run: {:#}", status.json);
    ensure!(status.failed() == failing.len() as u64, "{:#}", status.json);

    let errors = server.api.failed_products().await?;
    ensure!(errors.len() == failing.len(), "{errors:#?}");
    for ((error, product), kind) in errors.iter().zip(&failing).zip(NO_PRICES) {
        ensure!(error["product"] == product.as_str(), "{error} for {product}");
        ensure!(error["class"] == "invalid_answer", "{kind}: {error}");
        ensure!(error["attempts"] == 2, "it might have been a slip of the upstream: {error}");
        let message = error["message"].as_str().context("a message")?;
        ensure!(!message.is_empty() && message.len() <= 400, "{kind}: {message}");
        let answer = server.api.price(MARKET, product).await?;
        let entry = answer.json()?;
        ensure!(answer.status == 404 || entry["price"].is_null(), "{kind} is cached: {entry}");
    }
    for number in (2..=PRODUCTS as usize).step_by(3) {
        let entry = server.api.price(MARKET, &product(number)).await?.json()?;
        let sold = stage.simulator.catalogue();
        let price = sold.price(MARKET, &product(number)).context("it is sold")?;
        ensure!(entry["price"]["amount"] == *price.amount, "{entry}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_price_fails_its_product_and_is_never_cached() -> anyhow::Result<()> {
    refuse("").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_price_as_a_text_fails_its_product_and_is_never_cached() -> anyhow::Result<()> {
    refuse("?form=string").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_price_stays_when_a_later_answer_is_none() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(1, PRODUCTS), &Settings::default()).await?;
    let server = stage.completed().await?;
    let before = server.api.price(MARKET, &product(1)).await?.json()?;
    let (faults, _) = faults();
    stage.simulator.set_faults(faults)?;
    server.api.start().await?;
    let failed = server
        .api
        .status_where("the second run", |status| status.state == "COMPLETED" && status.failed() > 0);
    failed.await?;
    let after = server.api.price(MARKET, &product(1)).await?.json()?;
    ensure!(after["price"] == before["price"] && after["fetched_at"] == before["fetched_at"], "{after}");
    ensure!(after["last_error"]["class"] == "invalid_answer", "{after}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_failed_asks_again_for_the_failed_products_only() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(1, PRODUCTS), &Settings::default()).await?;
    let (faults, failing) = faults();
    stage.simulator.set_faults(faults)?;
    let server = stage.completed().await?;
    stage.simulator.set_faults(Faults::default())?;
    stage.simulator.clear_ledger();
    let answer = server.api.command("retry-failed").await?;
    ensure!(answer.status == 202, "{answer:?}");
    let done = server
        .api
        .status_where("the failed ones", |status| status.state == "COMPLETED" && status.failed() == 0);
    let done = done.await?;
    ensure!(done.completed() == u64::from(PRODUCTS), "{:#}", done.json);
    let ledger = stage.simulator.ledger();
    ensure!(ledger.total_requests() as usize == failing.len(), "{:?}", ledger.requests_per_pair());
    ensure!(server.api.command("retry-failed").await?.status == 409, "nothing failed any more");
    Ok(())
}
