//! What dashboards and scripts of the service before this one read: every field, with its type in
//! every state.

use price_cache_domain::RunStatus;
use price_cache_testkit::ScriptedSource;
use serde_json::Value;

use crate::world::{STATES, World};

/// A JSON path (`*` is every member) and what stands there in each of the states, in this order:
/// IDLE, INITIALIZING, PROCESSING, PAUSED, COMPLETED, ERROR.
type Row = (&'static str, [&'static str; 6]);

const ALWAYS_COUNT: [&str; 6] = ["count"; 6];
const ALWAYS_PERCENT: [&str; 6] = ["percent"; 6];

#[rustfmt::skip]
const STATE: &[Row] = &[
    // field                 IDLE    INITIALIZING  PROCESSING  PAUSED    COMPLETED  ERROR
    ("status",               ["text", "text",      "text",     "text",   "text",    "text"]),
    ("current_market",       ["null", "null",      "text",     "text",   "null",    "text"]),
    ("current_product_idx",  ALWAYS_COUNT),
    ("started_at",           ["null", "time",      "time",     "time",   "time",    "time"]),
    // One product done says nothing about the rest; below is a run of which more is known.
    ("estimated_end_at",     ["null", "null",      "null",     "null",   "null",    "null"]),
    ("paused_at",            ["null", "null",      "null",     "time",   "null",    "null"]),
    ("completed_at",         ["null", "null",      "null",     "null",   "time",    "null"]),
    ("error_message",        ["null", "null",      "null",     "null",   "null",    "text"]),
    ("markets",              ["texts"; 6]),
    ("total_markets",        ALWAYS_COUNT),
    ("current_market_index", ALWAYS_COUNT),
    ("market_totals",        ["object"; 6]),
    ("market_totals.*",      ALWAYS_COUNT),
];

#[rustfmt::skip]
const STATUS: &[Row] = &[
    // field                             IDLE      INITIALIZING  PROCESSING  PAUSED    COMPLETED  ERROR
    ("current_state",                    ["object"; 6]),
    ("markets",                          ["object"; 6]),
    ("markets.*.completed",              ALWAYS_COUNT),
    ("markets.*.total",                  ALWAYS_COUNT),
    ("markets.*.success_rate",           ALWAYS_PERCENT),
    ("markets.*.failed",                 ALWAYS_COUNT),
    ("markets.*.eta_minutes",            ["none",  "none",      "null",     "null",   "count",   "null"]),
    ("overall_progress",                 ALWAYS_PERCENT),
    ("total_eta_minutes",                ["null",  "null",      "null",     "null",   "count",   "null"]),
    ("analytics",                        ["object"; 6]),
    ("analytics.total_requests",         ALWAYS_COUNT),
    ("analytics.total_success",          ALWAYS_COUNT),
    ("analytics.total_fails",            ALWAYS_COUNT),
    ("analytics.avg_time_per_request_ms", ["number"; 6]),
    ("analytics.success_rate",           ALWAYS_PERCENT),
    ("analytics.markets",                ["object"; 6]),
    ("analytics.markets.*.completed",    ALWAYS_COUNT),
    ("analytics.markets.*.successful",   ALWAYS_COUNT),
    ("analytics.markets.*.failed",       ALWAYS_COUNT),
    ("analytics.markets.*.success_rate", ALWAYS_PERCENT),
];

#[rustfmt::skip]
const LOGS: &[Row] = &[
    // field                 IDLE     INITIALIZING  PROCESSING  PAUSED    COMPLETED  ERROR
    ("logs",                 ["list"; 6]),
    ("logs.*.id",            ["none", "none",      "text",     "text",   "text",    "text"]),
    ("logs.*.timestamp",     ["none", "none",      "time",     "time",   "time",    "time"]),
    ("logs.*.url",           ["none", "none",      "text",     "text",   "text",    "text"]),
    ("logs.*.product_id",    ["none", "none",      "text",     "text",   "text",    "text"]),
    ("logs.*.market_id",     ["none", "none",      "text",     "text",   "text",    "text"]),
    ("logs.*.success",       ["none", "none",      "flag",     "flag",   "flag",    "flag"]),
    ("logs.*.duration_ms",   ["none", "none",      "count",    "count",  "count",   "count"]),
    ("total",                ALWAYS_COUNT),
    ("stats.total",          ALWAYS_COUNT),
    ("stats.successful",     ALWAYS_COUNT),
    ("stats.failed",         ALWAYS_COUNT),
    ("stats.success_rate",   ALWAYS_PERCENT),
    ("stats.avg_duration_ms", ["number"; 6]),
    ("metadata.run_id",      ["null", "text",      "text",     "text",   "text",    "text"]),
    ("metadata.started_at",  ["null", "time",      "time",     "time",   "time",    "time"]),
    ("metadata.total_logs",  ALWAYS_COUNT),
];

#[rustfmt::skip]
const LOGS_PAGED: &[Row] = &[
    ("page",       ALWAYS_COUNT),
    ("pageSize",   ALWAYS_COUNT),
    ("totalPages", ALWAYS_COUNT),
];

/// Everything at a path; a missing member is an error, `*` of nothing is nothing.
fn at<'a>(document: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![document], |found, name| {
        found
            .into_iter()
            .flat_map(|value| match (name, value) {
                ("*", Value::Array(items)) => items.iter().collect::<Vec<_>>(),
                ("*", Value::Object(members)) => members.values().collect(),
                (name, Value::Object(members)) => {
                    vec![members.get(name).unwrap_or_else(|| panic!("{path} is missing in {document}"))]
                }
                (name, other) => panic!("{name} of {path} asked of {other}"),
            })
            .collect()
    })
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "text" => value.as_str().is_some_and(|text| !text.is_empty()),
        "time" => value.as_str().is_some_and(|text| {
            text.ends_with('Z')
                && text.as_bytes().get(10) == Some(&b'T')
                && text.parse::<jiff::Timestamp>().is_ok()
        }),
        // Serialised without a fraction, so that it stays a whole number in every language.
        "count" => value.is_u64(),
        "number" => value.as_f64().is_some_and(|number| number >= 0.0),
        "percent" => value.as_f64().is_some_and(|percent| (0.0..=100.0).contains(&percent)),
        "flag" => value.is_boolean(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "texts" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        other => panic!("there is no kind {other}"),
    }
}

#[track_caller]
fn check(document: &Value, table: &[Row], state: usize) {
    for (path, kinds) in table {
        let (kind, found) = (kinds[state], at(document, path));
        if kind == "none" {
            assert!(found.is_empty(), "{path} in {} is {found:?}", STATES[state]);
        }
        for value in found {
            assert!(is_kind(value, kind), "{path} in {} is {value}, not {kind}", STATES[state]);
        }
    }
}

#[tokio::test]
async fn every_field_has_its_type_in_every_state() {
    for (index, state) in STATES.into_iter().enumerate() {
        let world = World::in_state(state).await;
        let status = world.run("/status").await.ok(200);
        assert_eq!(status["current_state"]["status"], state.to_string());
        check(&status, STATUS, index);
        check(&status["current_state"], STATE, index);
        check(&world.run("/logs").await.ok(200), LOGS, index);
        let paged = world.run("/logs?page=1&pageSize=2").await.ok(200);
        check(&paged, LOGS, index);
        check(&paged, LOGS_PAGED, index);
        // The answer of a stop carries the state that it ended in. Paused before the plan was made, a run
        // has no market yet.
        let stopped = world.post("/stop").await.json();
        let after = STATES.iter().position(|known| stopped["state"]["status"] == known.to_string());
        if state != RunStatus::Initializing {
            check(&stopped["state"], STATE, after.unwrap());
        }
        let cleared = world.delete("/logs").await.ok(200);
        assert!(cleared["success"] == true && cleared["message"].is_string(), "{cleared}");
    }
}

#[tokio::test]
async fn the_numbers_of_a_completed_run_add_up() {
    let world = World::in_state(RunStatus::Completed).await;
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["overall_progress"], 100.0);
    for name in ["total_eta_minutes", "total_eta_seconds", "total_eta_seconds_low", "total_eta_seconds_high"]
    {
        assert_eq!(status[name].as_f64(), Some(0.0), "{name}");
    }
    assert_eq!(status["markets"]["uk"]["eta_minutes"], 0);
    assert_eq!(status["markets"]["uk"]["success_rate"], 50.0);
    assert_eq!(status["markets"]["uk"]["failed"], 1);
    assert_eq!(status["analytics"]["total_success"], 4);
    assert_eq!(status["analytics"]["total_fails"], 1);
    assert_eq!(status["analytics"]["success_rate"], 80.0);
    assert_eq!(status["analytics"]["markets"]["at"]["successful"], 3);
    let state = &status["current_state"];
    assert_eq!(state["markets"], serde_json::json!(["at", "uk"]));
    assert_eq!(state["market_totals"], serde_json::json!({"at": 3, "uk": 2}));
    assert_eq!(state["total_markets"], 2);
    assert_eq!(state["current_market_index"], 2);
}

#[tokio::test]
async fn where_a_run_is_can_be_read_while_it_goes_on() {
    let world = World::in_state(RunStatus::Processing).await;
    let status = world.run("/status").await.ok(200);
    let state = &status["current_state"];
    assert_eq!(state["current_market"], "at");
    assert_eq!(state["current_product_idx"], 1);
    assert_eq!(state["current_market_index"], 0);
    assert_eq!(state["active_markets"], serde_json::json!(["at"]));
    assert_eq!(status["overall_progress"], 20.0);
    assert_eq!(status["markets"]["uk"]["state"], "pending");
}

#[tokio::test]
async fn once_some_products_are_done_the_rest_is_estimated() {
    let source = ScriptedSource::new().with_market("at", &["1", "2", "3", "4"]).with_market("uk", &["x"]);
    source.hang("at", "4");
    let world = World::new(source).await;
    world.post("/start").await.ok(202);
    world.sees(|now| now.analytics().completed() == 3).await;
    let status = world.run("/status").await.ok(200);
    // Less than a minute is left, and something is.
    for market in ["at", "uk"] {
        assert_eq!(status["markets"][market]["eta_minutes"], 1);
    }
    assert_eq!(status["total_eta_minutes"], 1);
    let seconds = |name: &str| status[name].as_f64().unwrap();
    let [low, expected, high] =
        ["total_eta_seconds_low", "total_eta_seconds", "total_eta_seconds_high"].map(seconds);
    assert!(low <= expected && expected <= high && 0.0 < expected && expected <= 60.0, "{status}");
    assert!(is_kind(&status["current_state"]["estimated_end_at"], "time"), "{status}");
}

#[tokio::test]
async fn while_products_are_being_listed_nothing_is_estimated() {
    let source = ScriptedSource::new().with_market("at", &["1"]).with_market("uk", &["x"]);
    source.hang_product_lists();
    let world = World::new(source).await;
    world.post("/start").await.ok(202);
    world.sees(|now| now.markets.len() == 2).await;
    let status = world.run("/status").await.ok(200);
    assert_eq!(status["current_state"]["status"], "INITIALIZING");
    assert_eq!(status["current_state"]["markets"], serde_json::json!(["at", "uk"]));
    assert_eq!(status["overall_progress"], 0.0);
    for market in ["at", "uk"] {
        assert_eq!(status["markets"][market]["eta_minutes"], Value::Null, "0 would say that it is done");
        assert_eq!(status["markets"][market]["eta_seconds"], Value::Null);
    }
}
