//! Request ids, and the line for each request that changes something.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use price_cache_api_http::{ApiKeyHash, ServerOptions};
use price_cache_testkit::ScriptedSource;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{RUN, World, options};

#[tokio::test]
async fn a_sane_id_is_taken_over_and_any_other_is_replaced() {
    let world = World::new(ScriptedSource::new()).await;
    let longest = "x".repeat(64);
    for id in ["a", "7f3c-1.2_B", &longest] {
        for path in ["/health/live", "/nothing", "/"] {
            let answer = world.request("GET", path, &[&format!("X-Request-Id: {id}")], b"").await;
            assert_eq!(answer.header("x-request-id"), Some(id));
        }
    }
    let mut made = std::collections::BTreeSet::new();
    let too_long = "x".repeat(65);
    for id in ["", "a b", "a\"b", "<script>", "é", "a=b", &too_long] {
        let answer = world.request("GET", "/health/live", &[&format!("X-Request-Id: {id}")], b"").await;
        let given = answer.header("x-request-id").unwrap();
        assert!(given.len() == 16 && given.bytes().all(|byte| byte.is_ascii_hexdigit()), "{given}");
        made.insert(given.to_owned());
    }
    assert_eq!(made.len(), 7);
    let twice = ["X-Request-Id: a", "X-Request-Id: b"];
    let answer = world.request("GET", "/health/live", &twice, b"").await;
    assert_eq!(answer.header("x-request-id").unwrap().len(), 16);
    // Refused before any handler saw it, and named all the same.
    let answer =
        world.request("GET", "/health/live", &["Origin: x", "X-Request-Id: a", "Host: b"], b"").await;
    assert_eq!((answer.status, answer.header("x-request-id")), (400, Some("a")));
}

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn who_changes_something_is_written_down_and_keys_are_not() {
    let lines = Lines::default();
    let log =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(lines.clone());
    // For all threads: a subscriber of one thread misses spans that others see first. So the lines of other
    // tests are among these, and the ids below must be this test's own.
    tracing::subscriber::set_global_default(log.finish()).unwrap();
    let (key, wrong) = ("the-right-key-of-this-test", "the-wrong-key-of-this-test");
    let api_keys = vec![ApiKeyHash::of(key)];
    let world = World::with(ScriptedSource::new(), ServerOptions { api_keys, ..options() }).await;
    let start = format!("{RUN}/start");
    let right_line = format!("Authorization: Bearer {key}");
    let wrong_line = format!("Authorization: Bearer {wrong}");
    world.request("GET", &format!("{RUN}/status"), &[&right_line], b"").await.ok(200);
    world.request("POST", &start, &[&right_line, "X-Request-Id: audit-1"], b"").await.ok(202);
    world.request("POST", &start, &[&wrong_line, "X-Request-Id: audit-2"], b"").await.problem(401, &start);
    let foreign = [&right_line, "X-Request-Id: audit-3", "Sec-Fetch-Site: cross-site"];
    world.request("DELETE", &format!("{RUN}/logs"), &foreign, b"").await.problem(403, &format!("{RUN}/logs"));
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains(key) && !text.contains(wrong) && !text.contains("Bearer "), "{text}");
    let audited: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["target"] == "audit")
        .filter(|line| line["fields"]["request_id"].as_str().unwrap().starts_with("audit-"))
        .collect();
    let fields = |line: &Value| {
        let fields = &line["fields"];
        assert!(fields["remote"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["id"], fields["request_id"]);
        let text = |name: &str| fields[name].as_str().unwrap().to_owned();
        (text("method"), text("path"), fields["status"].as_u64().unwrap(), text("key"), text("request_id"))
    };
    let fingerprint = ApiKeyHash::of(key).fingerprint();
    let (post, none) = ("POST".to_owned(), "none".to_owned());
    assert_eq!(
        audited.iter().map(fields).collect::<Vec<_>>(),
        [
            (post.clone(), start.clone(), 202, fingerprint, "audit-1".to_owned()),
            (post, start, 401, none.clone(), "audit-2".to_owned()),
            ("DELETE".to_owned(), format!("{RUN}/logs"), 403, none, "audit-3".to_owned()),
        ]
    );
}
