//! Health, and what is answered when the store fails.

use std::time::Duration;

use price_cache_api_http::{ServerLimits, ServerOptions};
use price_cache_domain::{RunStatus, StoreError};
use price_cache_testkit::ScriptedSource;
use serde_json::json;

use crate::world::{World, options};

#[tokio::test]
async fn a_process_lives_while_its_store_does_not() {
    let world = World::in_state(RunStatus::Completed).await;
    let well = json!({"status": "ok", "detail": null});
    assert_eq!(world.get("/health/live").await.ok(200), well);
    assert_eq!(world.get("/health/ready").await.ok(200), well);
    world.store.fail_while(StoreError::Io("input/output error".to_owned()));
    assert_eq!(world.get("/health/live").await.ok(200), well);
    let answer = world.get("/health/ready").await;
    assert_eq!(answer.header("retry-after"), Some("5"));
    let unwell = answer.ok(503);
    assert_eq!(unwell["status"], "unavailable");
    assert!(unwell["detail"].as_str().unwrap().contains("input/output error"), "{unwell}");
    // What is in memory is still answered, what is not says when to come again.
    world.run("/status").await.ok(200);
    world.run("/logs").await.ok(200);
    for path in ["/api/prices", "/api/prices/at", "/api/prices/at/1", "/api/cache/prices/errors"] {
        let answer = world.get(path).await;
        assert_eq!(answer.header("retry-after"), Some("5"));
        answer.problem(503, path);
    }
    for command in ["/start", "/reset"] {
        let answer = world.post(command).await;
        assert_eq!(answer.header("retry-after"), Some("5"));
        answer.problem(503, &format!("/api/cache/prices{command}"));
    }
    assert_eq!(world.engine.snapshot().run.status(), RunStatus::Completed, "nothing half done");
    world.store.recover();
    assert_eq!(world.get("/health/ready").await.ok(200), well);
    world.get("/api/prices/at/1").await.ok(200);
}

#[tokio::test]
async fn a_store_that_hangs_is_given_up_on() {
    let limits = ServerLimits { answer_time_max: Duration::from_millis(50), ..ServerLimits::default() };
    let world = World::with(ScriptedSource::new(), ServerOptions { limits, ..options() }).await;
    world.store.crash_after(world.store.operations() + 1);
    for path in ["/health/ready", "/api/prices/uk/1"] {
        let answer = world.get(path).await;
        assert_eq!(answer.header("retry-after"), Some("5"));
        answer.problem(503, path);
    }
    world.get("/health/live").await.ok(200);
    world.run("/status").await.ok(200);
}
