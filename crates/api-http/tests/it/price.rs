//! One cached price: its digits, its id in any characters, its validators and its age.

use std::time::Duration;

use price_cache_domain::{FailureClass, Fault, RunStatus};
use price_cache_testkit::{ScriptedSource, quote};

use crate::client::Answer;
use crate::world::World;

/// A world that was walked once, with this price for `uk/1`.
async fn priced(amount: &str, currency: &str) -> World {
    let source = ScriptedSource::new().with_market("uk", &["1"]);
    source.script("uk", "1", [Ok(quote(amount, currency))]);
    let world = World::new(source).await;
    world.run_to_the_end().await;
    world
}

async fn conditional(world: &World, line: &str) -> Answer {
    world.request("GET", "/api/prices/uk/1", &[line], b"").await
}

#[tokio::test]
async fn the_digits_are_those_of_the_source() {
    for (amount, currency) in
        [("19.99", "EUR"), ("0.024000", "USD"), ("1200", "JPY"), ("0.000000012345678901234567890", "KWD")]
    {
        let world = priced(amount, currency).await;
        let entry = world.get("/api/prices/uk/1").await.ok(200);
        assert_eq!(entry["price"], serde_json::json!({"amount": amount, "currency": currency}));
        let page = world.get("/api/prices/uk").await.ok(200);
        assert_eq!(page["prices"][0], entry);
    }
}

/// Ids that URLs, shells, browsers or file systems would like to change, and one spelling of each.
const ODD_IDS: &[(&str, &str)] = &[
    ("a/b", "a%2Fb"),
    ("a/", "a%2f"),
    ("/", "%2F"),
    ("//", "%2F%2F"),
    ("two  ", "two%20%20"),
    (" ", "%20"),
    ("50%", "50%25"),
    ("%2F", "%252F"),
    ("%zz", "%25zz"),
    ("what?", "what%3F"),
    ("a#b", "a%23b"),
    ("a+b", "a+b"),
    ("a&b=c;d", "a&b=c;d"),
    ("Größe", "Gr%C3%B6%C3%9Fe"),
    ("日本", "%E6%97%A5%E6%9C%AC"),
    ("..", ".."),
    (".", "."),
    ("../x", "..%2Fx"),
    ("<script>alert(1)</script>", "%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
    ("'\"\\`", "'%22%5C%60"),
    ("{product}", "%7Bproduct%7D"),
    ("*rest", "*rest"),
    (":id", ":id"),
    ("\u{202e}x", "%E2%80%AEx"),
];

#[tokio::test]
async fn ids_may_have_any_characters() {
    let ids: Vec<&str> = ODD_IDS.iter().map(|(id, _)| *id).collect();
    let source = ids.iter().fold(ScriptedSource::new(), |source, id| source.with_market(id, &ids));
    let world = World::new(source).await;
    world.run_to_the_end().await;
    assert_eq!(world.run("/status").await.ok(200)["analytics"]["total_success"], ids.len() * ids.len());
    for (market, market_in_url) in ODD_IDS {
        for (product, product_in_url) in ODD_IDS {
            let entry = world.get(&format!("/api/prices/{market_in_url}/{product_in_url}")).await.ok(200);
            assert_eq!((&entry["market_id"], &entry["product_id"]), (&(*market).into(), &(*product).into()));
        }
        let page = world.get(&format!("/api/prices/{market_in_url}")).await.ok(200);
        assert_eq!(page["prices"].as_array().unwrap().len(), ids.len(), "{market}");
        // Spelled with every character encoded, as the command line does.
        let encoded: String = market.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let entry = world.get(&format!("/api/prices/{encoded}/{encoded}")).await.ok(200);
        assert_eq!(entry["product_id"], *market);
    }
    // A space more or less is another product.
    world.get("/api/prices/%20/two%20").await.problem(404, "/api/prices/%20/two%20");
}

#[tokio::test]
async fn a_known_price_is_not_sent_again() {
    let world = priced("19.99", "EUR").await;
    let first = world.get("/api/prices/uk/1").await;
    let etag = first.header("etag").unwrap().to_owned();
    let opaque = etag.strip_prefix("W/").unwrap();
    let modified = first.header("last-modified").unwrap().to_owned();
    assert_eq!(modified, "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    for line in [
        format!("If-None-Match: {etag}"),
        format!("If-None-Match: {opaque}"),
        format!("If-None-Match: \"other\", W/\"another\" ,{etag}"),
        format!("If-None-Match: \"other\"\r\nIf-None-Match: {etag}"),
        "If-None-Match: *".to_owned(),
        format!("If-Modified-Since: {modified}"),
        "If-Modified-Since: Sat, 02 Jan 2027 00:00:00 GMT".to_owned(),
    ] {
        let answer = conditional(&world, &line).await;
        assert_eq!(answer.status, 304, "{line}");
        for name in ["content-type", "content-length"] {
            assert_eq!(answer.header(name), None, "{line}");
        }
        assert_eq!(answer.header("etag"), Some(etag.as_str()));
        assert_eq!(answer.header("last-modified"), Some(modified.as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("age"), Some("0"));
    }
    for line in [
        "If-None-Match: \"other\"".to_owned(),
        format!("If-None-Match: {}", etag.replace("19.99", "19.98")),
        "If-None-Match:".to_owned(),
        "If-Modified-Since: Wed, 31 Dec 2025 23:59:59 GMT".to_owned(),
        "If-Modified-Since: yesterday".to_owned(),
        // The tag decides where both are given.
        format!("If-None-Match: \"other\"\r\nIf-Modified-Since: {modified}"),
    ] {
        assert_eq!(conditional(&world, &line).await.status, 200, "{line}");
    }
}

#[tokio::test]
async fn nothing_follows_a_304_on_its_connection() {
    let world = priced("19.99", "EUR").await;
    let mut connection = crate::client::Connection::open(world.address).await;
    for _ in 0..2 {
        connection.send("GET /api/prices/uk/1 HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\n\r\n").await;
        assert_eq!(connection.answer().await.unwrap().status, 304);
        connection.send("GET /api/prices/uk/1 HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        connection.answer().await.unwrap().ok(200);
    }
}

#[tokio::test]
async fn a_price_ages_until_it_is_stale() {
    let world = priced("19.99", "EUR").await;
    let etag = world.get("/api/prices/uk/1").await.header("etag").unwrap().to_owned();
    let week = Duration::from_secs(7 * 24 * 3_600);
    world.clock.advance(week);
    let answer = world.get("/api/prices/uk/1").await;
    assert_eq!(answer.header("age"), Some("604800"));
    let entry = answer.ok(200);
    assert_eq!((&entry["age_seconds"], &entry["stale"]), (&604_800.into(), &false.into()));
    assert_eq!(conditional(&world, &format!("If-None-Match: {etag}")).await.status, 304);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.get("/api/prices/uk/1").await.ok(200)["stale"], true);
    // That it is stale is news to whoever has it as fresh.
    for line in
        [format!("If-None-Match: {etag}"), "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT".to_owned()]
    {
        assert_eq!(conditional(&world, &line).await.ok(200)["stale"], true);
    }
    // A clock set back makes nothing younger than new.
    world.clock.set(price_cache_domain::Timestamp::from_millis(0));
    assert_eq!(world.get("/api/prices/uk/1").await.ok(200)["age_seconds"], 0);
}

#[tokio::test]
async fn a_failed_refresh_keeps_the_price_and_says_why_it_is_stale() {
    let world = priced("19.99", "EUR").await;
    let before = world.get("/api/prices/uk/1").await;
    let etag = before.header("etag").unwrap().to_owned();
    let before = before.ok(200);
    assert!(before.get("last_error").is_none() && before["stale"] == false, "{before}");
    world.clock.advance(Duration::from_secs(60));
    let gone = Fault::new(FailureClass::NotFound, "the shop answered 410").with_status(410);
    world.source.script("uk", "1", [Err(gone)]);
    world.post("/start").await.ok(202);
    world.sees(|now| now.run.status() == RunStatus::Completed && now.analytics().failed == 1).await;
    let after = conditional(&world, &format!("If-None-Match: {etag}")).await.ok(200);
    for same in ["price", "fetched_at", "run_id"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!((&after["stale"], &after["age_seconds"]), (&true.into(), &60.into()));
    assert_eq!(after["last_error"]["class"], "not_found");
    assert_eq!(after["last_error"]["message"], "the shop answered 410");
    assert_eq!(after["last_error"]["at"], "2026-01-01T00:01:00.000Z");
    // The next good answer ends that.
    world.source.script("uk", "1", [Ok(quote("18.50", "EUR"))]);
    world.post("/retry-failed").await.ok(202);
    world.sees(|now| now.run.status() == RunStatus::Completed && now.analytics().failed == 0).await;
    let again = world.get("/api/prices/uk/1").await.ok(200);
    assert!(again.get("last_error").is_none() && again["stale"] == false, "{again}");
    assert_eq!(again["price"]["amount"], "18.50");
    assert_ne!(again["run_id"], before["run_id"]);
}
