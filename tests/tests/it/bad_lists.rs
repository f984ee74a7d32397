//! Lists of markets and products that cannot be used: ERROR with a message that says what to do, and nothing lost.

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault, Market};
use price_cache_tests::sources::Source;
use price_cache_tests::{Server, Settings, free_address};

use crate::stage::Stage;

async fn stage(catalogue: Catalogue) -> anyhow::Result<Stage> {
    Stage::new(catalogue, &Settings::default()).await
}

/// Starts a run that cannot go on, and returns why, and whether it tries again by itself.
async fn failure(server: &Server) -> anyhow::Result<(String, bool)> {
    server.api.start().await?;
    let status = server.api.state("ERROR").await?;
    let retries = status.json["current_state"]["retry_at"].is_string();
    Ok((status.error_message.unwrap_or_default(), retries))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_upstream_is_an_error_that_tries_again_and_gets_over_it() -> anyhow::Result<()> {
    let stage = stage(Catalogue::synthetic(1, 10)).await?;
    stage.simulator.stop().await;
    let server = stage.scene.server().await?;
    let (message, retries) = failure(&server).await?;
    ensure!(message.contains("source.base_url"), "what to do: {message}");
    ensure!(retries, "the API may come back");
    stage.simulator.restart().await?;
    let done = server.api.state("COMPLETED").await?;
    ensure!(done.completed() == 10, "{:#}", done.json);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_where_nobody_listens_is_named() -> anyhow::Result<()> {
    let stage = stage(Catalogue::synthetic(1, 1)).await?;
    let address = free_address()?;
    let source = Source::rest(&format!("http://{address}"));
    stage.scene.configure(&source.to_string(), &Settings::default())?;
    for command in ["plan", "probe"] {
        let told = stage.scene.run(&[command]).await?.expect(1)?.stderr;
        ensure!(told.contains("markets"), "{command}: {told}");
        ensure!(told.contains("connect") || told.contains("refused"), "{command}: {told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_of_markets_is_an_error_that_waits_for_a_person() -> anyhow::Result<()> {
    let stage = stage(Catalogue::default()).await?;
    let mut server = stage.scene.server().await?;
    let (message, retries) = failure(&server).await?;
    ensure!(
        message.contains("the list of markets is empty") && message.contains("source.markets"),
        "{message}"
    );
    ensure!(!retries, "it would be empty again");
    let told = stage.scene.run(&["plan"]).await?.expect(1)?.stderr;
    ensure!(told.contains("the list of markets is empty"), "{told}");
    server.kill().await?;

    let told = stage.scene.run(&["run"]).await?.expect(1)?.stderr;
    ensure!(told.contains("the list of markets is empty"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_no_json_is_an_error_and_a_start_gets_over_it() -> anyhow::Result<()> {
    for kind in [FaultKind::Html, FaultKind::BadJson, FaultKind::Empty] {
        let lists = [FixedFault::market_list(kind), FixedFault::product_list("M002", kind)];
        for (fault, name) in lists.into_iter().zip(["markets", "M002"]) {
            let stage = stage(Catalogue::synthetic(2, 10)).await?;
            stage.simulator.set_faults(Faults::always([fault]))?;
            let server = stage.scene.server().await?;
            let (message, _) = failure(&server).await?;
            ensure!(message.contains("could not list") && message.contains(name), "{kind}: {message}");
            ensure!(message.contains("JSON") || message.contains("empty"), "{kind}: {message}");
            stage.simulator.set_faults(Faults::default())?;
            server.api.start().await?;
            let done = server.api.state("COMPLETED").await?;
            ensure!(done.completed() == 20 && done.failed() == 0, "{:#}", done.json);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_listed_twice_are_walked_once() -> anyhow::Result<()> {
    let mut catalogue = Catalogue::synthetic(2, 10);
    catalogue.duplicate_product("M001", "product-0000003");
    catalogue.edit_markets(|markets| markets.extend(markets.first().cloned()));
    let stage = stage(catalogue).await?;
    let server = stage.completed().await?;
    let status = server.api.status().await?;
    ensure!(status.total() == 20 && status.completed() == 20, "{:#}", status.json);
    ensure!(stage.simulator.ledger().requests_per_pair() == [(1, 20)].into(), "each once");
    ensure!(stage.scene.stderr().contains("more than once"), "the operator is told");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_without_products_is_done_at_once() -> anyhow::Result<()> {
    let mut catalogue = Catalogue::synthetic(2, 10);
    catalogue.edit_markets(|markets| markets.insert(1, Market::new("empty", Vec::new())));
    let stage = stage(catalogue).await?;
    let server = stage.completed().await?;
    let status = server.api.status().await?;
    ensure!(status.markets["empty"].total == 0 && status.completed() == 20, "{:#}", status.json);
    ensure!(status.json["markets"]["empty"]["state"] == "done", "{:#}", status.json);
    ensure!(status.json["overall_progress"] == 100.0, "{:#}", status.json);
    drop(server);
    stage.scene.run(&["plan"]).await?.expect(0)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_is_down_is_parked_and_comes_back_by_itself_without_failed_products()
-> anyhow::Result<()> {
    let run = "parking = { probe_delay_start = \"1s\" }".to_owned();
    let settings = Settings { run, ..Settings::default() };
    let stage = Stage::new(Catalogue::synthetic(2, 10), &settings).await?;
    let all = (1..=10)
        .map(|number| FixedFault::pair("M001", &format!("product-{number:07}"), FaultKind::Status(500)));
    stage.simulator.set_faults(Faults::always(all))?;
    let server = stage.scene.server().await?;
    let (message, retries) = failure(&server).await?;
    ensure!(message.contains("M001") && message.contains("x 500") && retries, "{message}");
    let status = server.api.status().await?;
    ensure!(status.markets["M002"].completed == 10 && status.failed() == 0, "{:#}", status.json);
    stage.simulator.set_faults(Faults::default())?;
    let done = server.api.state("COMPLETED").await?;
    ensure!(done.completed() == 20 && done.failed() == 0, "{:#}", done.json);
    Ok(())
}
