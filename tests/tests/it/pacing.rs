//! An upstream that allows so many requests per second: a configured rate is kept, and without one the server
//! finds out, says so, and every price comes all the same.

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Options, RateLimit};
use price_cache_tests::Settings;

use crate::stage::Stage;

const REFUSED: FaultKind = FaultKind::RateLimitedSeconds(1);

fn allowing(per_second: f64, burst: f64, catalogue: Catalogue) -> Options {
    Options { rate_limit: Some(RateLimit { per_second, burst }), ..Options::new(catalogue) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_rate_causes_no_refusal_however_many_markets_run() -> anyhow::Result<()> {
    let settings = Settings {
        parallel_markets: 8,
        run: "pacing = { requests_per_second = 190, adaptive = false }".to_owned(),
        ..Settings::default()
    };
    // A burst of a few requests, because the machine may hold some of them up.
    let stage = Stage::with(allowing(200.0, 10.0, Catalogue::synthetic(8, 75)), &settings).await?;
    let server = stage.completed().await?;
    let ledger = stage.simulator.ledger();
    ensure!(ledger.totals.fault(REFUSED) == 0 && ledger.total_requests() == 600, "{:?}", ledger.totals);
    let status = server.api.status().await?;
    let pace = &status.json["pace_limit"];
    ensure!(pace["slowed_down"] == false, "{pace}");
    ensure!(pace["requests_per_second"].as_f64().is_some_and(|rate| (rate - 190.0).abs() < 0.01), "{pace}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rate_the_server_finds_out_how_fast_it_may_ask() -> anyhow::Result<()> {
    let settings = Settings { parallel_markets: 8, ..Settings::default() };
    let stage = Stage::with(allowing(60.0, 10.0, Catalogue::synthetic(8, 50)), &settings).await?;
    let server = stage.scene.server().await?;
    server.api.start().await?;
    let slowed =
        server.api.status_where("the pace falls", |status| status.json["pace_limit"]["slowed_down"] == true);
    let slowed = slowed.await?;
    ensure!(slowed.state == "PROCESSING", "{slowed:?}");
    let status = server.api.state("COMPLETED").await?;
    ensure!(status.markets.values().all(|market| market.successful == 50), "{status:?}");
    let ledger = stage.simulator.ledger();
    ensure!(ledger.max_in_flight_of_any_market() == 1, "two requests at once");
    // Without slowing down, a quarter of the requests and more would be refused.
    let refused = ledger.totals.fault(REFUSED);
    ensure!(
        refused > 0 && refused * 10 < ledger.total_requests(),
        "{refused} of {}",
        ledger.total_requests()
    );
    Ok(())
}
