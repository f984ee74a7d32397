//! The log of calls: order, limits, pages, totals and what an entry leaves out.

use std::time::Duration;

use price_cache_domain::{FailureClass, Fault, RunStatus};
use price_cache_testkit::{ManualClock, ScriptedSource};
use serde_json::{Value, json};

use crate::world::{World, not_found};

/// A world in which the clock goes on by a second with each request.
async fn ticking(source: ScriptedSource) -> World {
    let world = World::new(source).await;
    let clock: ManualClock = world.clock.clone();
    world.source.set_delay(Box::new(move |_, _, _| {
        clock.advance(Duration::from_secs(1));
        Box::pin(std::future::ready(()))
    }));
    world
}

fn products(logs: &Value) -> Vec<&str> {
    logs["logs"].as_array().unwrap().iter().map(|call| call["product_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_limit_bounds_all_pages_together() {
    let world = World::in_state(RunStatus::Completed).await;
    let all = world.run("/logs").await.ok(200);
    let page = async |query: &str| world.run(&format!("/logs?{query}")).await.ok(200);
    let second = page("limit=3&page=2&pageSize=2").await;
    assert_eq!(second["logs"], serde_json::json!([all["logs"][2]]));
    assert_eq!((&second["totalPages"], &second["total"]), (&2.into(), &5.into()));
    assert_eq!(page("limit=3&page=3&pageSize=2").await["logs"], serde_json::json!([]));
}

#[tokio::test]
async fn the_newest_call_comes_first() {
    let world = ticking(ScriptedSource::new().with_numbered("uk", 5)).await;
    world.run_to_the_end().await;
    let all = world.run("/logs").await.ok(200);
    assert_eq!(products(&all), ["p0004", "p0003", "p0002", "p0001", "p0000"]);
    let times: Vec<&str> =
        all["logs"].as_array().unwrap().iter().map(|call| call["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer > older), "{times:?}");
    assert_eq!(products(&world.run("/logs?limit=2").await.ok(200)), ["p0004", "p0003"]);
    // As many as the command line asks for.
    assert_eq!(products(&world.run("/logs?limit=10000").await.ok(200)).len(), 5);
    for (query, page, size, pages, expected) in [
        ("page=1&pageSize=2", 1, 2, 3, vec!["p0004", "p0003"]),
        ("page=3&pageSize=2", 3, 2, 3, vec!["p0000"]),
        ("page=4&pageSize=2", 4, 2, 3, vec![]),
        ("page=10000&pageSize=1000", 10_000, 1_000, 1, vec![]),
        ("pageSize=4", 1, 4, 2, vec!["p0004", "p0003", "p0002", "p0001"]),
        ("page=1", 1, 50, 1, vec!["p0004", "p0003", "p0002", "p0001", "p0000"]),
    ] {
        let answer = world.run(&format!("/logs?{query}")).await.ok(200);
        assert_eq!(products(&answer), expected, "{query}");
        assert_eq!((&answer["page"], &answer["pageSize"]), (&page.into(), &size.into()), "{query}");
        assert_eq!((&answer["totalPages"], &answer["total"]), (&pages.into(), &5.into()), "{query}");
    }
    for absent in ["page", "pageSize", "totalPages"] {
        assert!(all.get(absent).is_none(), "{absent} belongs to pages");
    }
}

#[tokio::test]
async fn entries_tell_what_happened_and_nothing_else() {
    let source = ScriptedSource::new().with_market("uk", &["a", "b"]);
    source.script("uk", "a", [Err(Fault::new(FailureClass::Transport, "connection refused"))]);
    source.script("uk", "b", [Err(not_found())]);
    let world = ticking(source).await;
    world.run_to_the_end().await;
    let logs = world.run("/logs").await.ok(200);
    let [gone, fetched, refused] = logs["logs"].as_array().unwrap().as_slice() else { panic!("{logs}") };
    let keys = |call: &Value| call.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let common = ["duration_ms", "id", "market_id", "product_id", "success", "timestamp", "url"];
    let has = |call: &Value, more: &[&str]| {
        common.iter().chain(more).all(|key| call.get(key).is_some())
            && call.as_object().unwrap().len() == common.len() + more.len()
    };
    assert!(has(gone, &["error", "status_code"]), "{}", keys(gone));
    assert!(has(refused, &["error"]), "no answer came: {}", keys(refused));
    assert!(fetched.get("error").is_none(), "{}", keys(fetched));
    assert_eq!((&gone["success"], &gone["status_code"]), (&false.into(), &404.into()));
    assert_eq!((&fetched["success"], &fetched["product_id"]), (&true.into(), &"a".into()));
    assert!(refused["error"].as_str().unwrap().contains("connection refused"));
    assert!(fetched["duration_ms"].is_u64());
    assert_ne!(refused["id"], fetched["id"], "two calls for one product");
    let stats = &logs["stats"];
    assert_eq!((&stats["total"], &stats["successful"], &stats["failed"]), (&json!(3), &json!(1), &json!(2)));
    assert!((stats["success_rate"].as_f64().unwrap() - 100.0 / 3.0).abs() < 1e-9);
    let run_id = world.run("/status").await.ok(200)["current_state"]["run_id"].clone();
    assert_eq!(
        logs["metadata"],
        json!({"run_id": run_id, "started_at": "2026-01-01T00:00:00.000Z", "total_logs": 3})
    );
    let failed = world.run("/logs?success=false&market=uk").await.ok(200);
    assert_eq!((failed["total"].as_u64(), failed["stats"]["total"].as_u64()), (Some(2), Some(3)));
}

#[tokio::test]
async fn cleared_logs_stay_cleared_and_the_counters_stay() {
    let world = World::in_state(RunStatus::Completed).await;
    assert_eq!(world.run("/logs").await.ok(200)["total"], 5);
    let cleared = world.delete("/logs").await.ok(200);
    assert_eq!(cleared["success"], true);
    let logs = world.run("/logs?page=1").await.ok(200);
    assert_eq!((&logs["logs"], &logs["total"], &logs["totalPages"]), (&json!([]), &json!(0), &json!(0)));
    assert_eq!(logs["stats"]["success_rate"], 0.0);
    assert!(logs["metadata"]["run_id"].is_string());
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["analytics"]["total_requests"], 5);
}

#[tokio::test]
async fn the_url_is_the_sources_own_masked_one() {
    let source = ScriptedSource::new().with_market("uk", &["a"]);
    // A source masks the key in its URLs itself.
    source.set_price_url(|market, product| format!("https://shop.test/{market}/{product}?key=***"));
    let world = World::new(source).await;
    world.run_to_the_end().await;
    let logs = world.run("/logs").await.ok(200);
    assert_eq!(logs["logs"][0]["url"], "https://shop.test/uk/a?key=***");
}
