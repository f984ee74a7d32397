//! Pages of a market's prices and the summary of all markets.

use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;

use crate::world::{World, not_found};

/// A value for a query with every byte encoded.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn pages_walk_every_product_once() {
    let source = ScriptedSource::new().with_numbered("uk", 23).with_market("at", &["z"]);
    source.script("uk", "p0007", [Err(not_found())]);
    let world = World::new(source).await;
    world.run_to_the_end().await;
    for limit in [1, 2, 22, 23, 24, 1_000] {
        let (mut after, mut seen, mut pages) = (String::new(), Vec::new(), 0);
        loop {
            let page = world.get(&format!("/api/prices/uk?limit={limit}{after}")).await.ok(200);
            assert_eq!(page["market_id"], "uk");
            let products = page["prices"].as_array().unwrap();
            assert!(!products.is_empty() && products.len() <= limit, "limit {limit}");
            seen.extend(products.iter().map(|entry| entry["product_id"].as_str().unwrap().to_owned()));
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={}", encoded(next));
        }
        let expected: Vec<String> = (0..23).map(|index| format!("p{index:04}")).collect();
        assert_eq!(seen, expected, "limit {limit}");
        assert_eq!(pages, 23_usize.div_ceil(limit), "no page is asked for in vain");
    }
    // One that never had a price is listed with what went wrong, and with the run that tried.
    let page = world.get("/api/prices/uk?limit=1&after=p0006").await.ok(200);
    let failed = &page["prices"][0];
    for absent in ["price", "fetched_at", "age_seconds"] {
        assert!(failed[absent].is_null(), "{failed}");
    }
    assert_eq!((&failed["stale"], &failed["last_error"]["class"]), (&true.into(), &"not_found".into()));
    assert!(failed["run_id"].is_string(), "{failed}");
    // A product that does not exist is as good a place to go on from as one that does.
    let page = world.get("/api/prices/uk?after=p0021x").await.ok(200);
    assert_eq!(page["prices"].as_array().unwrap().len(), 1);
    let page = world.get("/api/prices/uk?after=zzz").await.ok(200);
    assert_eq!((page["prices"].as_array().unwrap().len(), &page["next"]), (0, &serde_json::Value::Null));
}

#[tokio::test]
async fn the_command_lines_pages_are_answered() {
    let world = World::new(ScriptedSource::new().with_numbered("uk", 501)).await;
    world.run_to_the_end().await;
    let lines = ["Connection: close", "Accept: application/json, application/problem+json"];
    let page = world.request("GET", "/api/prices/uk?limit=500", &lines, b"").await.ok(200);
    assert_eq!((page["prices"].as_array().unwrap().len(), &page["next"]), (500, &"p0499".into()));
    let page = world.request("GET", "/api/prices/uk?after=p0499&limit=500", &lines, b"").await.ok(200);
    assert_eq!((page["prices"].as_array().unwrap().len(), page["next"].is_null()), (1, true));
}

#[tokio::test]
async fn markets_are_summarised() {
    let world = World::in_state(RunStatus::Completed).await;
    let at = "2026-01-01T00:00:00.000Z";
    assert_eq!(
        world.get("/api/prices").await.ok(200),
        serde_json::json!({"markets": [
            {"market_id": "at", "products": 3, "prices": 3, "oldest_fetched_at": at, "newest_fetched_at": at},
            {"market_id": "uk", "products": 2, "prices": 1, "oldest_fetched_at": at, "newest_fetched_at": at},
        ]})
    );
    let world = World::in_state(RunStatus::Idle).await;
    assert_eq!(world.get("/api/prices").await.ok(200), serde_json::json!({"markets": []}));
}
