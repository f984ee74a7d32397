//! Reading never waits for the upstream or for a write.

use price_cache_domain::RunStatus;

use crate::world::World;

const READS: [&str; 11] = [
    "/api/cache/prices/status",
    "/api/cache/prices/logs",
    "/api/cache/prices/logs?page=1&pageSize=10",
    "/api/cache/prices/errors",
    "/api/cache/prices/errors?market=at&class=timeout",
    "/api/prices",
    "/api/prices/at",
    "/api/prices/at/1",
    "/health/live",
    "/health/ready",
    "/api/prices/at?after=1&limit=1",
];

#[tokio::test]
async fn everything_can_be_read_while_the_upstream_hangs() {
    let world = World::in_state(RunStatus::Processing).await;
    for path in READS {
        world.get(path).await.ok(200);
    }
    assert_eq!(world.source.in_flight("at"), 1, "it still hangs");
    let world = World::in_state(RunStatus::Initializing).await;
    for path in READS.into_iter().filter(|path| !path.contains("/at") && !path.contains("=at")) {
        world.get(path).await.ok(200);
    }
}

#[tokio::test]
async fn everything_can_be_read_while_writes_are_slow() {
    let world = World::in_state(RunStatus::Processing).await;
    world.store.hold_writes();
    world.source.release("at", "2");
    while world.store.held_writes() == 0 {
        tokio::task::yield_now().await;
    }
    for path in READS {
        world.get(path).await.ok(200);
    }
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["markets"]["at"]["completed"], 1, "only what is on disk counts");
    world.get("/api/prices/at/2").await.problem(404, "/api/prices/at/2");
    world.store.release_writes();
    world.reaches(RunStatus::Completed).await;
    world.get("/api/prices/at/2").await.ok(200);
}

#[tokio::test]
async fn a_start_answers_before_anything_was_asked() {
    let world = World::in_state(RunStatus::Idle).await;
    world.source.hang_listings();
    let answer = world.post("/start").await.ok(202);
    assert_eq!(answer["state"]["status"], "INITIALIZING");
    assert_eq!(world.post("/stop").await.ok(202)["state"]["status"], "PAUSED");
}
