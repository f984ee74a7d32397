//! The commands against a real server, with their exit codes.

use std::fs;

use anyhow::{Context, ensure};
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::{Finished, Server, Settings, free_address};
use serde_json::Value;

use crate::stage::Stage;

const MARKET: &str = "M001";
const FAILING: &str = "product-0000002";

async fn stage() -> anyhow::Result<Stage> {
    let stage = Stage::new(Catalogue::synthetic(2, 50), &Settings::default()).await?;
    let fault = FixedFault::pair(MARKET, FAILING, FaultKind::Status(404));
    stage.simulator.set_faults(Faults::always([fault]))?;
    Ok(stage)
}

/// A command for a server.
async fn remote(stage: &Stage, server: &Server, arguments: &[&str]) -> anyhow::Result<Finished> {
    let url = server.api.url();
    let arguments: Vec<&str> = ["--server", &url].iter().chain(arguments).copied().collect();
    stage.scene.run(&arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_controlled_and_read_from_the_command_line() -> anyhow::Result<()> {
    let stage = stage().await?;
    let server = stage.scene.server().await?;
    let idle = remote(&stage, &server, &["status"]).await?.expect(0)?;
    ensure!(idle.stdout.contains("IDLE") || idle.stderr.contains("IDLE"), "{idle:?}");

    let watched = remote(&stage, &server, &["start", "--watch"]).await?.expect(5)?;
    ensure!(watched.stderr.contains("100 of 100 products"), "{}", watched.stderr);
    let status = remote(&stage, &server, &["status"]).await?.expect(0)?;
    ensure!(status.stdout.contains("COMPLETED") && status.stdout.contains(MARKET), "{status:?}");
    let json = remote(&stage, &server, &["status", "--json"]).await?.expect(0)?;
    let json: Value = serde_json::from_str(&json.stdout)?;
    let direct = server.api.status().await?.json;
    ensure!(json["markets"] == direct["markets"] && json["analytics"] == direct["analytics"], "{json:#}");

    let errors = remote(&stage, &server, &["errors"]).await?.expect(0)?;
    ensure!(errors.stdout.contains(FAILING) && errors.stdout.contains("not_found"), "{errors:?}");
    let logs = remote(&stage, &server, &["logs", "--failed"]).await?.expect(0)?;
    ensure!(logs.stdout.contains(FAILING) && logs.stdout.contains("404"), "{logs:?}");
    let logs = remote(&stage, &server, &["logs", "--json", "--limit", "7"]).await?.expect(0)?;
    let logs: Value = serde_json::from_str(&logs.stdout)?;
    ensure!(logs["logs"].as_array().is_some_and(|logs| logs.len() == 7), "{logs:#}");

    let price = remote(&stage, &server, &["prices", "get", MARKET, "product-0000001"]).await?.expect(0)?;
    let sold = stage.simulator.catalogue();
    let sold = sold.price(MARKET, "product-0000001").context("it is sold")?;
    ensure!(price.stdout.trim_end() == format!("{} {}", sold.amount, sold.currency), "{price:?}");
    remote(&stage, &server, &["prices", "get", MARKET, FAILING]).await?.expect(1)?;
    remote(&stage, &server, &["prices", "get", "nowhere", "nothing"]).await?.expect(1)?;
    let list = remote(&stage, &server, &["prices", "list", "M002", "--all", "--json"]).await?.expect(0)?;
    let pages: Vec<Value> = list.stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let count: usize = pages.iter().filter_map(|page| page["prices"].as_array()).map(Vec::len).sum();
    ensure!(count == 50, "{count} prices");

    stage.simulator.set_faults(Faults::default())?;
    remote(&stage, &server, &["retry-failed"]).await?.expect(0)?;
    let all_good =
        |status: &price_cache_tests::StatusView| status.state == "COMPLETED" && status.failed() == 0;
    server.api.status_where("the failed one", all_good).await?;
    remote(&stage, &server, &["prices", "get", MARKET, FAILING]).await?.expect(0)?;
    remote(&stage, &server, &["retry-failed"]).await?.expect(3)?;
    Ok(())
}

/// The SHA-256 hash of `s3cret`.
const KEY_HASH: &str = "sha256:1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_finds_its_server_in_the_configuration_and_its_key_in_the_environment() -> anyhow::Result<()>
{
    let settings = Settings { server: format!("api_keys = [{KEY_HASH:?}]"), ..Settings::default() };
    let mut stage = Stage::new(Catalogue::synthetic(1, 5), &settings).await?;
    let server = stage.scene.server().await?;
    let address = server.api.url().replace("http://", "");
    stage.scene.write_config(&format!("[server]\nlisten = {address:?}\n"))?;
    let refused = stage.scene.run(&["status"]).await?.expect(2)?;
    ensure!(refused.stderr.contains("PRICE_CACHE_API_KEY"), "{refused:?}");
    stage.scene.set("PRICE_CACHE_API_KEY", "s3cret");
    let status = stage.scene.run(&["status"]).await?.expect(0)?;
    ensure!(status.stdout.contains("IDLE") || status.stderr.contains("IDLE"), "{status:?}");
    stage.scene.run(&["start", "--watch"]).await?.expect(0)?;
    let transitions = server.api.with_key("s3cret").get("/api/cache/prices/transitions").await?;
    ensure!(transitions.to_string().contains("key 1ec1c26b"), "{transitions:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_state_refuses_is_exit_code_3() -> anyhow::Result<()> {
    let stage = stage().await?;
    stage.slow_down(20);
    let server = stage.scene.server().await?;
    let nothing = remote(&stage, &server, &["stop"]).await?.expect(0)?;
    ensure!(!nothing.stderr.is_empty(), "it says that nothing is running");
    remote(&stage, &server, &["start"]).await?.expect(0)?;
    for command in [&["start"][..], &["reset", "--yes"], &["retry-failed"]] {
        let refused = remote(&stage, &server, command).await?.expect(3)?;
        ensure!(refused.stdout.is_empty() && !refused.stderr.is_empty(), "{command:?}: {refused:?}");
    }
    remote(&stage, &server, &["stop"]).await?.expect(0)?;
    server.api.state("PAUSED").await?;
    let unasked = remote(&stage, &server, &["reset"]).await?.expect(2)?;
    ensure!(unasked.stderr.contains("--yes"), "nobody is there to ask: {}", unasked.stderr);
    remote(&stage, &server, &["reset", "--yes"]).await?.expect(0)?;
    let idle = server.api.state("IDLE").await?;
    ensure!(idle.markets.is_empty(), "{:#}", idle.json);
    ensure!(server.api.get("/api/prices").await?["markets"] == serde_json::json!([]), "prices are left");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_can_keep_the_prices() -> anyhow::Result<()> {
    let stage = stage().await?;
    let mut server = stage.completed().await?;
    remote(&stage, &server, &["reset", "--yes", "--keep-prices"]).await?.expect(0)?;
    server.api.state("IDLE").await?;
    ensure!(server.api.prices("M002").await?.len() == 50, "prices are gone");
    server.kill().await?;
    let server = stage.scene.server().await?;
    ensure!(server.api.status().await?.state == "IDLE", "the reset was not kept");
    ensure!(server.api.prices("M002").await?.len() == 50, "prices are gone after a kill");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_exit_code_4() -> anyhow::Result<()> {
    let stage = stage().await?;
    let address = free_address()?;
    let url = format!("http://{address}");
    for command in [
        &["status"][..],
        &["start"],
        &["stop"],
        &["errors"],
        &["logs"],
        &["prices", "list", MARKET],
        &["reset", "--yes"],
        &["dump", "dumped"],
    ] {
        let arguments: Vec<&str> = ["--server", &url].iter().chain(command).copied().collect();
        let told = stage.scene.run(&arguments).await?.expect(4)?;
        ensure!(told.stderr.contains(&address.to_string()), "{command:?}: {}", told.stderr);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_on_the_command_line_are_exit_code_2() -> anyhow::Result<()> {
    let stage = stage().await?;
    for command in [&["stat"][..], &["errors", "--limit", "0"], &["status", "--server", "ftp://x"], &[]] {
        stage.scene.run(command).await?.expect(2)?;
    }
    stage.scene.run(&["--help"]).await?.expect(0)?;
    stage.scene.run(&["--version"]).await?.expect(0)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_and_probe_fetch_next_to_nothing() -> anyhow::Result<()> {
    let stage = stage().await?;
    let plan = stage.scene.run(&["plan"]).await?.expect(0)?;
    ensure!(plan.stdout.contains(MARKET) && plan.stdout.contains("50"), "{plan:?}");
    ensure!(plan.stderr.contains("100 products"), "{plan:?}");
    ensure!(stage.simulator.ledger().total_requests() == 0, "a plan fetches no price");
    let probe = stage.scene.run(&["probe"]).await?.expect(0)?;
    ensure!(probe.stdout.contains("understood") && probe.stdout.contains("EUR"), "{probe:?}");
    let probe = stage.scene.run(&["probe", "--market", "nowhere"]).await?.expect(1)?;
    ensure!(probe.stderr.contains("nowhere"), "{probe:?}");
    let plan: Value = serde_json::from_str(&stage.scene.run(&["plan", "--json"]).await?.expect(0)?.stdout)?;
    ensure!(plan["products"] == 100 && plan["markets"][0]["products"] == 50, "{plan}");
    ensure!(stage.simulator.ledger().total_requests() == 2, "a probe fetches one price of each market");
    let probe = stage.scene.run(&["probe", "--json"]).await?.expect(0)?;
    for line in probe.stdout.lines() {
        let market: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        ensure!(market["price"]["currency"] == "EUR" && market["error"].is_null(), "{market:#}");
    }
    ensure!(probe.stdout.lines().count() == 2, "{probe:?}");
    ensure!(!stage.scene.path("data").exists(), "neither makes a store");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dump_writes_the_three_documents() -> anyhow::Result<()> {
    let stage = stage().await?;
    let server = stage.completed().await?;
    remote(&stage, &server, &["dump", "dumped"]).await?.expect(0)?;
    let read = |name: &str| -> anyhow::Result<Value> {
        let path = stage.scene.path("dumped").join(name);
        Ok(serde_json::from_str(&fs::read_to_string(&path).with_context(|| path.display().to_string())?)?)
    };
    let status = server.api.status().await?.json;
    ensure!(read("state.json")?["run_id"] == status["current_state"]["run_id"], "the state is another");
    ensure!(read("analytics.json")? == status["analytics"], "the analytics are others");
    let market = read(&format!("market-{MARKET}.json"))?;
    ensure!(market["completed"] == 50 && market["failed"] == 1, "{market:#}");
    ensure!(market["prices"].as_array().is_some_and(|prices| prices.len() == 50), "{market:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_wants_the_store_for_itself_and_finds_it_healthy() -> anyhow::Result<()> {
    let stage = stage().await?;
    let server = stage.completed().await?;
    let busy = stage.scene.run(&["doctor"]).await?.expect(1)?;
    ensure!(busy.stderr.contains("in use"), "{}", busy.stderr);
    ensure!(server.terminate().await? == Some(0), "it ends well");
    let healthy = stage.scene.run(&["doctor"]).await?.expect(0)?;
    ensure!(healthy.stderr.contains("healthy") && healthy.stdout.contains(MARKET), "{healthy:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_error() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(1, 3_000), &Settings::default()).await?;
    let server = stage.completed().await?;
    for list in ["", "--json"] {
        let command = format!("$PC --server {} prices list {MARKET} --all {list}", server.api.url());
        let script = format!("{{ {command}; echo \"ended with $?\" >&2; }} | head -n 1");
        let head = stage.scene.shell(&script).await?.expect(0)?;
        ensure!(head.stdout.lines().count() == 1, "{head:?}");
        ensure!(head.stderr.contains("ended with 0") && !head.stderr.contains("panicked"), "{head:?}");
    }
    Ok(())
}
