//! The metrics: names, values over a run, and no more series than there is room for.

use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;

use crate::metrics_text::Samples;
use crate::stream::Stream;
use crate::world::{STATES, World, not_found};

async fn metrics(world: &World) -> Samples {
    let answer = world.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Samples::read(std::str::from_utf8(&answer.body).unwrap())
}

#[tokio::test]
async fn exactly_the_present_state_is_1_in_every_state() {
    for state in STATES {
        let world = World::in_state(state).await;
        let samples = metrics(&world).await;
        for other in STATES {
            let value = samples.value("price_cache_run_state", &[("state", other.name())]);
            assert_eq!(value, if other == state { 1.0 } else { 0.0 }, "{other} in {state}");
        }
        assert_eq!(samples.value("price_cache_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    }
}

#[tokio::test]
async fn a_run_is_counted_and_counters_never_go_back() {
    let world = World::in_state(RunStatus::Completed).await;
    world.run("/status?x=1").await;
    world.get("/nothing").await;
    world.get("/else").await;
    let _stream = Stream::open(&world, &[]).await;
    let samples = metrics(&world).await;
    let products = |samples: &Samples, market, outcome| {
        samples.value("price_cache_products_total", &[("market", market), ("outcome", outcome)])
    };
    assert_eq!([products(&samples, "at", "success"), products(&samples, "at", "failure")], [3.0, 0.0]);
    assert_eq!([products(&samples, "uk", "success"), products(&samples, "uk", "failure")], [1.0, 1.0]);
    assert_eq!(samples.value("price_cache_requests_total", &[("market", "at")]), 3.0);
    assert_eq!(samples.value("price_cache_request_duration_seconds_count", &[("market", "at")]), 3.0);
    assert_eq!(samples.value("price_cache_failed_products", &[("class", "not_found")]), 1.0);
    assert_eq!(samples.value("price_cache_failed_products", &[("class", "timeout")]), 0.0);
    assert_eq!(samples.value("price_cache_market_progress_ratio", &[("market", "uk")]), 1.0);
    for (name, value) in [("eta_seconds", 0.0), ("wait_seconds", 0.0), ("parked", 0.0), ("low_success", 0.0)]
    {
        let name = format!("price_cache_market_{name}");
        assert_eq!(samples.value(&name, &[("market", "uk")]), value, "{name}");
    }
    assert_eq!(samples.value("price_cache_progress_ratio", &[]), 1.0);
    assert_eq!(samples.value("price_cache_eta_seconds", &[]), 0.0);
    assert_eq!(samples.value("price_cache_market_waiting", &[("reason", "backoff")]), 0.0);
    assert_eq!(samples.value("price_cache_event_subscribers", &[]), 1.0);
    assert!(samples.value("process_start_time_seconds", &[]) > 0.0);
    let http = |route, status| {
        let labels = [("method", "GET"), ("route", route), ("status", status)];
        samples.value("price_cache_http_requests_total", &labels)
    };
    assert_eq!(http("/api/cache/prices/status", "400"), 1.0);
    assert_eq!(http("/api/cache/prices/events", "200"), 1.0);
    assert_eq!(http("none", "404"), 2.0, "clients cannot make up series");
    // Retried with success, the failure is no more, but it was.
    world.post("/retry-failed").await.ok(202);
    world.sees(|now| now.run.status() == RunStatus::Completed && now.analytics().failed == 0).await;
    let samples = metrics(&world).await;
    assert_eq!([products(&samples, "uk", "success"), products(&samples, "uk", "failure")], [2.0, 1.0]);
    assert_eq!(samples.value("price_cache_requests_total", &[("market", "uk")]), 3.0);
    assert_eq!(samples.value("price_cache_failed_products", &[("class", "not_found")]), 0.0);
    // A reset forgets the run, not what was done.
    world.post("/reset").await.ok(200);
    let samples = metrics(&world).await;
    assert_eq!(products(&samples, "at", "success"), 3.0);
    assert!(samples.labels("price_cache_market_progress_ratio", "market").is_empty());
}

#[tokio::test]
async fn a_market_with_few_prices_is_flagged() {
    let ids: Vec<String> = (0..12).map(|index| index.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let source = ScriptedSource::new().with_market("good", &ids).with_market("poor", &ids);
    for id in &ids[..3] {
        source.script("poor", id, [Err(not_found())]);
    }
    let world = World::new(source).await;
    world.run_to_the_end().await;
    let samples = metrics(&world).await;
    let flagged = |market| samples.value("price_cache_market_low_success", &[("market", market)]);
    assert_eq!([flagged("good"), flagged("poor")], [0.0, 1.0]);
}

#[tokio::test]
async fn many_markets_share_a_histogram_and_odd_names_are_escaped() {
    let odd = "a\"b\\c{}=,";
    let ids: Vec<String> = (0..150).map(|index| format!("m{index:03}")).collect();
    let source = ids
        .iter()
        .fold(ScriptedSource::new().with_market(odd, &["1"]), |source, id| source.with_market(id, &["1"]));
    let world = World::new(source).await;
    world.run_to_the_end().await;
    let samples = metrics(&world).await;
    let name = "price_cache_request_duration_seconds_count";
    assert_eq!(samples.labels(name, "market").len(), 101);
    assert_eq!(samples.value(name, &[("market", "other")]), 51.0);
    assert_eq!(samples.labels("price_cache_products_total", "market").len(), 151);
    assert_eq!(samples.value("price_cache_requests_total", &[("market", odd)]), 1.0);
    assert!(samples.families.len() >= 12, "{:?}", samples.families);
}
