//! An upstream that is not there at all: no product is blamed for it, and the run says when it tries again.

use anyhow::ensure;
use price_cache_simulator::raw::BlackHole;
use price_cache_tests::{Scene, Settings, free_address};

/// The products of the one market; so many failures in a row park it.
const PRODUCTS: [&str; 2] = ["a", "b"];

async fn waits_for(base_url: &str, class: &str, words: &str) -> anyhow::Result<()> {
    let count = PRODUCTS.len();
    let run = format!("parking = {{ failures_in_a_row = {count}, probe_delay_start = \"60s\" }}");
    let source = format!(
        "[source]\nbase_url = \"{base_url}\"\nmarkets.list = [\"US\"]\nproducts.list = {PRODUCTS:?}\n\
         price = {{ url = \"/{{market}}/{{product}}\", amount = \"$.amount\", currency = \"$.currency\" }}\n\
         limits = {{ connect = \"300ms\" }}\n"
    );
    let scene = Scene::new(&source, &Settings { run, ..Settings::default() })?;
    let server = scene.server().await?;
    server.api.start().await?;
    let status = server.api.state("ERROR").await?;
    let message = status.error_message.clone().unwrap_or_default();
    ensure!(message.contains("the upstream is failing") && message.contains(class), "{message}");
    ensure!(message.contains(words), "it does not say what happened: {message}");
    ensure!(status.json["current_state"]["retry_at"].is_string(), "{:#}", status.json);
    ensure!(status.completed() == 0, "its products are not to blame: {:#}", status.json);
    for product in PRODUCTS {
        ensure!(server.api.price("US", product).await?.status == 404, "{product} is cached");
    }
    ensure!(server.terminate().await? == Some(0), "a server ends well");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_refuses_connections_is_waited_for() -> anyhow::Result<()> {
    let address = free_address()?;
    waits_for(&format!("http://{address}"), "x transport", "the connection was refused").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_whose_name_is_unknown_is_waited_for() -> anyhow::Result<()> {
    waits_for("http://prices.invalid", "x transport", "prices.invalid cannot be resolved").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_answers_nobody_is_waited_for() -> anyhow::Result<()> {
    let black_hole = BlackHole::open().await?;
    waits_for(&format!("http://{}", black_hole.address()), "x timeout", "no connection to").await
}
