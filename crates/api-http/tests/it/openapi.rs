//! `/openapi.json` and `/docs`: the document is whole, its routes are the server's, its examples are real.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use price_cache_api_http::{ApiKeyHash, ServerLimits, ServerOptions};
use price_cache_domain::{FailureClass, RunStatus, StoreError};
use price_cache_testkit::{ScriptedSource, quote};
use serde_json::{Map, Value};

use crate::client::Answer;
use crate::document::{DOCUMENT, is_valid, resolved};
use crate::world::{World, not_found, options};

/// Set it to write the examples again.
const RECORD: &str = "PRICE_CACHE_RECORD_EXAMPLES";

fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[tokio::test]
async fn every_documented_route_answers_and_no_other_method_does() {
    let world = World::new(ScriptedSource::new()).await;
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        let target = path.replace("{market}", "uk").replace("{product}", "x").replace("{name}", "main.js");
        let documented: BTreeSet<&str> = operations.as_object().unwrap().keys().map(String::as_str).collect();
        for method in ["GET", "POST", "DELETE", "PUT", "PATCH"] {
            // The stream of events does not end.
            if target.ends_with("/events") && method == "GET" {
                continue;
            }
            let answer = world.request(method, &target, &[], b"").await;
            let is_documented = documented.contains(method.to_ascii_lowercase().as_str());
            assert_eq!(answer.status != 405, is_documented, "{method} {target}: {}", answer.status);
            if !is_documented {
                let allow = answer.header("allow").unwrap().to_ascii_lowercase();
                let allowed: BTreeSet<&str> = allow.split(',').filter(|method| *method != "head").collect();
                assert_eq!(allowed, documented, "{target}");
            }
            if answer.status == 404 {
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                assert!(!detail.contains("no route"), "{method} {target}: {detail}");
            }
        }
    }
}

/// Routes are made of endpoints, which the document is made of as well; a route made otherwise would be missing.
#[test]
fn no_route_is_made_but_from_an_endpoint() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).unwrap().contains(".route(") {
                found.push(path.strip_prefix(&sources).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    // While the run is recovered there are only the probes, at the paths they always have.
    found.retain(|path| path != "routes/recovering.rs");
    assert_eq!(found, ["router.rs"]);
}

#[test]
fn every_operation_has_a_name_a_summary_and_an_example_of_each_json_answer() {
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations() {
        let what = format!("{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{what}: a name is given twice");
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 10), "{what}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
        }
        let in_path = path.matches('{').count();
        let documented = operation["parameters"].as_array().into_iter().flatten();
        assert_eq!(documented.filter(|parameter| parameter["in"] == "path").count(), in_path, "{what}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(response);
            for header in response["headers"].as_object().into_iter().flatten() {
                assert!(resolved(header.1)["description"].is_string(), "{what} {status}");
            }
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                let schema = &content["schema"];
                if schema["type"] == "string" {
                    continue;
                }
                assert!(content["example"].is_object(), "{what} {status} {media_type} has no example");
                is_valid(schema, &content["example"], &format!("{what} {status}"));
            }
        }
        if let Some(body) = operation.get("requestBody") {
            let body = &body["content"]["application/json"];
            is_valid(&body["schema"], &body["example"], &what);
        }
    }
    let classes = &DOCUMENT["components"]["schemas"]["RetryFailedRequest"]["properties"]["class"]["enum"];
    let classes: Vec<&str> = classes.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(classes, FailureClass::ALL.map(FailureClass::name));
}

#[tokio::test]
async fn the_document_is_kept_by_browsers_and_says_whether_a_key_is_needed() {
    let open = World::new(ScriptedSource::new()).await;
    let plain = open.get("/openapi.json").await;
    let document = plain.ok(200);
    assert_eq!((&document["openapi"], &document), (&Value::from("3.1.0"), &*DOCUMENT));
    let tag = plain.header("etag").unwrap().to_owned();
    let again = open.request("GET", "/openapi.json", &[&format!("If-None-Match: {tag}")], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let small = open.request("GET", "/openapi.json", &["Accept-Encoding: gzip"], b"").await;
    assert!(small.body.len() * 4 < plain.body.len(), "{} of {}", small.body.len(), plain.body.len());

    let keys = vec![ApiKeyHash::of("key")];
    let closed = World::with(ScriptedSource::new(), ServerOptions { api_keys: keys, ..options() }).await;
    let status = |document: &Value| document["paths"]["/api/cache/prices/status"]["get"]["security"].clone();
    assert_eq!(status(&document), serde_json::json!([{"key": []}, {}]));
    assert_eq!(status(&closed.get("/openapi.json").await.ok(200)), serde_json::json!([{"key": []}]));
    assert_eq!(closed.get("/docs").await.status, 200);
}

/// Answers under the names of their operations and statuses.
#[derive(Default)]
struct Recorded(Vec<(String, String)>);

impl Recorded {
    #[track_caller]
    fn add(&mut self, operation: &str, status: u16, answer: &Answer) {
        assert_eq!(answer.status, status, "{operation}: {}", String::from_utf8_lossy(&answer.body));
        self.0.push((format!("{operation} {status}"), String::from_utf8(answer.body.clone()).unwrap()));
    }

    fn text(mut self) -> String {
        self.0.sort();
        let mut text = String::from("{\n");
        for (index, (name, answer)) in self.0.iter().enumerate() {
            let comma = if index + 1 == self.0.len() { "" } else { "," };
            writeln!(text, "\"{name}\": {answer}{comma}").unwrap();
        }
        text + "}\n"
    }
}

/// Three products in each of two markets; one of them fails, and the last one keeps its caller waiting.
async fn shop() -> World {
    let products = ["mug-blue", "scone-4", "tea-250g"];
    let source = ScriptedSource::new().with_market("uk", &products).with_market("de", &products);
    source.set_delay(Box::new(|_, _, _| Box::pin(tokio::time::sleep(Duration::from_millis(80)))));
    let world = World::new(source).await;
    let clock = world.clock.clone();
    world.source.set_default(move |market, product, _, _| {
        clock.advance(Duration::from_millis(80));
        let currency = if market.as_str() == "uk" { "GBP" } else { "EUR" };
        match (market.as_str(), product.as_str()) {
            ("uk", "mug-blue") => Err(not_found()),
            (_, "tea-250g") => Ok(quote("12.50", currency)),
            _ => Ok(quote("3.990", currency)),
        }
    });
    world.source.hang("de", "tea-250g");
    world.source.hang_listings();
    world
}

async fn record_run(recorded: &mut Recorded) {
    let world = shop().await;
    recorded.add("stopRun", 200, &world.post("/stop").await);
    recorded.add("startRun", 202, &world.post("/start").await);
    recorded.add("startRun", 409, &world.post("/start").await);
    recorded.add("resetRun", 409, &world.post("/reset").await);
    recorded.add("retryFailed", 409, &world.post("/retry-failed").await);
    world.source.release_listings();
    world.sees(|now| now.analytics().completed() == 5).await;
    while world.source.in_flight("de") == 0 {
        tokio::task::yield_now().await;
    }
    recorded.add("getStatus", 200, &world.run("/status").await);
    recorded.add("listCalls", 200, &world.run("/logs?page=1&pageSize=2").await);
    recorded.add("listFailedProducts", 200, &world.run("/errors").await);
    recorded.add("listFailedProducts", 404, &world.run("/errors?market=fr").await);
    recorded.add("listMarkets", 200, &world.get("/api/prices").await);
    recorded.add("listPrices", 200, &world.get("/api/prices/uk?limit=2").await);
    recorded.add("listPrices", 404, &world.get("/api/prices/fr").await);
    recorded.add("getPrice", 200, &world.get("/api/prices/uk/tea-250g").await);
    recorded.add("getPrice", 404, &world.get("/api/prices/uk/mug-blue").await);
    recorded.add("stopRun", 202, &world.post("/stop").await);
    recorded.add("listTransitions", 200, &world.run("/transitions").await);
    recorded.add("retryFailed", 404, &world.post("/retry-failed?market=fr").await);
    recorded.add("retryFailed", 422, &world.post_json("/retry-failed", r#"{"markets": "uk"}"#).await);
    let unnamed =
        world.request("POST", "/api/cache/prices/retry-failed", &["Content-Type: text/plain"], b"uk");
    recorded.add("retryFailed", 415, &unnamed.await);
    world.source.hang("uk", "mug-blue");
    recorded.add("retryFailed", 202, &world.post_json("/retry-failed", r#"{"market": "uk"}"#).await);
    world.post("/stop").await.ok(202);
    recorded.add("clearCalls", 200, &world.delete("/logs").await);
    recorded.add("resetRun", 422, &world.post_json("/reset", r#"{"keep": true}"#).await);
    let unnamed = world.request("POST", "/api/cache/prices/reset", &["Content-Type: text/plain"], b"keep");
    recorded.add("resetRun", 415, &unnamed.await);
    recorded.add("resetRun", 200, &world.post_json("/reset", r#"{"keep_prices": true}"#).await);
    recorded.add("getPageFile", 404, &world.get("/dashboard/no.js").await);
}

async fn record_refusals(recorded: &mut Recorded) {
    let world = World::in_state(RunStatus::Completed).await;
    recorded.add("any", 400, &world.run("/status?verbose=1").await);
    let foreign =
        world.request("POST", "/api/cache/prices/start", &["Sec-Fetch-Site: cross-site"], b"").await;
    recorded.add("any", 403, &foreign);
    recorded.add("any", 413, &world.post_json("/reset", &" ".repeat(70_000)).await);
    recorded.add(
        "any",
        414,
        &world.get(&format!("/api/prices/{}", "x".repeat(8_192))).await.at("/api/prices/x"),
    );
    let many: Vec<String> = (0..70).map(|number| format!("X-Header-{number}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    recorded.add("any", 431, &world.request("GET", "/api/prices", &many, b"").await);
    recorded.add("isLive", 200, &world.get("/health/live").await);
    recorded.add("isReady", 200, &world.get("/health/ready").await);
    let unwell = || StoreError::Full("no space left on device".to_owned());
    world.store.fail_next(1, unwell());
    recorded.add("any", 503, &world.get("/api/prices/at/1").await);
    world.store.fail_next(1, unwell());
    recorded.add("isReady", 503, &world.get("/health/ready").await);

    let limits = ServerLimits { body_time_max: Duration::from_millis(100), ..ServerLimits::default() };
    let keys = vec![ApiKeyHash::of("key")];
    let closed =
        World::with(ScriptedSource::new(), ServerOptions { api_keys: keys, limits, ..options() }).await;
    recorded.add("any", 401, &closed.run("/status").await);
    let half = "POST /api/cache/prices/reset HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key\r\n\
        Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{";
    let mut connection = crate::client::Connection::open(closed.address).await;
    connection.send(half).await;
    recorded.add("any", 408, &connection.answer().await.unwrap());
}

/// Makes what follows from the machine's own clock the same each time, though not whether it is there.
fn forget_durations(value: &mut Value) {
    if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(forget_durations);
    }
    for (name, member) in value.as_object_mut().into_iter().flatten() {
        let is_duration = ["eta_seconds", "avg_", "duration_ms"].iter().any(|part| name.contains(part));
        let is_time = name == "at" || name == "timestamp" || name.ends_with("_at");
        if (is_duration || is_time) && !member.is_null() {
            *member = Value::from("measured");
        }
        forget_durations(member);
    }
}

#[tokio::test]
async fn the_examples_are_what_the_server_answers() {
    let mut recorded = Recorded::default();
    record_run(&mut recorded).await;
    record_refusals(&mut recorded).await;
    let text = recorded.text();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/openapi/examples.json");
    if std::env::var_os(RECORD).is_some() {
        std::fs::write(path, text).unwrap();
        return;
    }
    let kept: Map<String, Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let now: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        now.keys().collect::<Vec<_>>(),
        "{RECORD}=1 writes them again"
    );
    for ((name, mut kept), mut now) in kept.into_iter().zip(now.into_values()) {
        forget_durations(&mut kept);
        forget_durations(&mut now);
        assert_eq!(kept, now, "{name} has changed; {RECORD}=1 and this test write the examples again");
    }
}
