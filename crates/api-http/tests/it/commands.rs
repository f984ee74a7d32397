//! The verbs in every state: what they answer and where the run is afterwards.

use price_cache_domain::RunStatus;

use crate::world::{RUN, STATES, World};

/// What each verb answers in each of the states, in this order: IDLE, INITIALIZING, PROCESSING,
/// PAUSED, COMPLETED, ERROR.
#[rustfmt::skip]
const ANSWERS: &[(&str, &str, [u16; 6])] = &[
    //                         IDLE  INIT PROC PAUS COMP ERR
    ("POST",   "/start",        [202, 409, 409, 202, 202, 202]),
    ("POST",   "/stop",         [200, 202, 202, 200, 200, 200]),
    ("POST",   "/reset",        [200, 409, 409, 200, 200, 200]),
    ("POST",   "/retry-failed", [409, 409, 409, 409, 202, 409]),
    ("DELETE", "/logs",         [200, 200, 200, 200, 200, 200]),
];

#[tokio::test]
async fn every_verb_answers_as_promised_in_every_state() {
    for (method, verb, statuses) in ANSWERS {
        for (state, status) in STATES.into_iter().zip(*statuses) {
            let world = World::in_state(state).await;
            let path = format!("{RUN}{verb}");
            let answer = world.request(method, &path, &[], b"").await;
            if status == 409 {
                answer.problem(409, &path);
                assert_eq!(world.engine.snapshot().run.status(), state, "{verb} in {state}");
                continue;
            }
            assert_eq!(answer.status, status, "{verb} in {state}: {answer:?}");
            let body = answer.ok(status);
            assert!(body["message"].as_str().is_some_and(|message| message.len() > 10), "{body}");
            let has_state = matches!(*verb, "/start" | "/stop" | "/retry-failed");
            assert_eq!(body["state"].is_object(), has_state, "{body}");
            assert_eq!(body["success"] == true, *verb == "/logs", "{body}");
            let after = world.engine.snapshot().run.status();
            match (*verb, status) {
                ("/reset", _) => assert_eq!(after, RunStatus::Idle),
                ("/stop", 202) => assert_eq!(after, RunStatus::Paused),
                ("/stop", _) => assert_eq!(body["state"]["status"], state.to_string()),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_refused_start_says_what_would_help() {
    let world = World::in_state(RunStatus::Processing).await;
    let detail = world.post("/start").await.problem(409, "/api/cache/prices/start");
    assert!(detail.contains("PROCESSING") && detail.contains("stop"), "{detail}");
}

#[tokio::test]
async fn a_stopped_run_goes_on_where_it_was() {
    let world = World::in_state(RunStatus::Paused).await;
    world.source.release("at", "2");
    world.run_to_the_end().await;
    assert_eq!(world.source.requests("at", "1"), 1, "what was done is not asked for again");
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["overall_progress"], 100.0);
}

#[tokio::test]
async fn a_reset_deletes_the_prices_unless_they_are_to_be_kept() {
    let world = World::in_state(RunStatus::Completed).await;
    let kept = world.post_json("/reset", r#"{"keep_prices": true}"#).await.ok(200);
    assert!(kept["message"].as_str().unwrap().contains("kept"), "{kept}");
    world.get("/api/prices/at/1").await.ok(200);
    assert_eq!(world.run("/logs").await.ok(200)["total"], 0);
    world.post_json("/reset", "{}").await.ok(200);
    world.get("/api/prices/at/1").await.problem(404, "/api/prices/at/1");
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["current_state"]["status"], "IDLE");
    assert_eq!(status["analytics"]["total_requests"], 0);
}

#[tokio::test]
async fn failed_products_alone_are_tried_again_and_a_filter_narrows_that() {
    let world = World::in_state(RunStatus::Completed).await;
    let path = "/api/cache/prices/retry-failed";
    world.post_json("/retry-failed", r#"{"class": "timeout"}"#).await.problem(409, path);
    world.post("/retry-failed?market=at").await.problem(409, path);
    let detail = world.post_json("/retry-failed", r#"{"market": "fr"}"#).await.problem(404, path);
    assert!(detail.contains("\"fr\""), "{detail}");
    let before = world.source.requests_total();
    world.post_json("/retry-failed", r#"{"market": "uk", "class": "not_found"}"#).await.ok(202);
    world.sees(|now| now.run.status() == RunStatus::Completed && now.analytics().failed == 0).await;
    assert_eq!(world.source.requests_total(), before + 1);
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["analytics"]["total_fails"], 0);
    assert_eq!(status["analytics"]["total_requests"], 6);
}

#[tokio::test]
async fn while_a_run_is_under_way_a_retry_is_refused_whatever_it_names() {
    let world = World::in_state(RunStatus::Initializing).await;
    let path = "/api/cache/prices/retry-failed";
    world.post_json("/retry-failed", r#"{"market": "at"}"#).await.problem(409, path);
}
