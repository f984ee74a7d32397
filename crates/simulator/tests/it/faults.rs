//! Faults: each looks to the client as its name says, and the same seed gives the same ones.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault, Handle, Options, Simulator};

use crate::client::{Client, bare, begin};

const PRICE: &str = "/markets/M001/products/product-0000001/price";

async fn start(faults: Faults) -> Handle {
    let catalogue = Catalogue::synthetic(3, 40);
    Simulator::start(Options { faults, seed: 5, ..Options::new(catalogue) }).await.unwrap()
}

/// The statuses of each pair's first three attempts, asked for in the given order of products.
async fn statuses(seed: u64, order: impl Iterator<Item = u32> + Clone) -> BTreeMap<(u32, u32), Vec<u16>> {
    let weights = [(FaultKind::Status(500), 150), (FaultKind::RateLimited, 100), (FaultKind::Html, 50)];
    let faults = Faults {
        permanent: [(FaultKind::Status(403), 100)].into(),
        transient: [(FaultKind::Status(502), 100)].into(),
        ..Faults::per_attempt(weights)
    };
    let catalogue = Catalogue::synthetic(3, 40);
    let simulator = Simulator::start(Options { faults, seed, ..Options::new(catalogue) }).await.unwrap();
    let mut client = Client::of(&simulator).await;
    let mut found: BTreeMap<_, Vec<u16>> = BTreeMap::new();
    for _attempt in 0..3 {
        for product in order.clone() {
            for market in 1..=3 {
                let target = format!("/markets/M{market:03}/products/product-{product:07}/price");
                let status = client.get(&target).await.status.as_u16();
                found.entry((market, product)).or_default().push(status);
            }
        }
    }
    found
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults_in_any_order() {
    let forward = statuses(5, 1..=40).await;
    assert_eq!(forward, statuses(5, (1..=40).rev()).await);
    assert_ne!(forward, statuses(6, 1..=40).await);
    let has = |wanted: &[u16]| forward.values().any(|found| found == wanted);
    assert!(has(&[403, 403, 403]), "no permanent fault in {forward:?}");
    assert!(has(&[502, 200, 200]), "no transient fault in {forward:?}");
}

#[tokio::test]
async fn rate_limits_say_when_in_three_ways() {
    let simulator = start(Faults::everywhere(FaultKind::RateLimitedSeconds(7))).await;
    let mut client = Client::of(&simulator).await;
    let reply = client.get(PRICE).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, Some("7")));

    simulator.set_faults(Faults::everywhere(FaultKind::RateLimitedDate(60))).unwrap();
    let before = SystemTime::now();
    let reply = client.get(PRICE).await;
    let at = httpdate::parse_http_date(reply.header("retry-after").unwrap()).unwrap();
    // The date has whole seconds.
    assert!(at >= before + Duration::from_secs(59), "{at:?}");

    simulator.set_faults(Faults::everywhere(FaultKind::RateLimited)).unwrap();
    let reply = client.get(PRICE).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, None));
}

#[tokio::test]
async fn broken_connections_end_as_they_are_named() {
    let simulator = start(Faults::everywhere(FaultKind::Reset)).await;
    let (text, end) = bare(simulator.address(), PRICE).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("", ErrorKind::ConnectionReset));

    simulator.set_faults(Faults::everywhere(FaultKind::ResetMidBody)).unwrap();
    let (text, end) = bare(simulator.address(), PRICE).await;
    assert!(text.ends_with("\"market\":\""), "{text}");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);

    simulator.set_faults(Faults::everywhere(FaultKind::Truncated)).unwrap();
    let (text, end) = bare(simulator.address(), PRICE).await;
    assert!(text.starts_with("HTTP/1.1 200 ") && !text.contains('}'), "{text}");
    end.unwrap();
    let mut client = Client::of(&simulator).await;
    assert!(client.request("GET", PRICE, "").await.is_err());

    let counts = simulator.ledger().totals;
    assert_eq!((counts.requests, counts.faulted(), counts.served, counts.aborted), (4, 4, 0, 0));
}

#[tokio::test]
async fn unreadable_answers_come_with_200() {
    let simulator = start(Faults::default()).await;
    let mut client = Client::of(&simulator).await;
    let amount = client.get(PRICE).await.json()["amount"].to_string();
    let huge = "9".repeat(100_000);
    for (kind, part, json) in [
        (FaultKind::BadJson, "{\"product\"", false),
        (FaultKind::Html, "<html>", false),
        (FaultKind::Empty, "", false),
        (FaultKind::WrongCurrency, "\"currency\":\"QQQ\"", true),
        (FaultKind::NullPrice, "\"amount\":null", true),
        (FaultKind::NegativePrice, &format!("\"amount\":-{amount}"), true),
        (FaultKind::NanPrice, "\"amount\":NaN", false),
        (FaultKind::CommaPrice, "\"amount\":\"4,99\"", true),
        (FaultKind::HugePrice, &huge, false),
    ] {
        simulator.set_faults(Faults::everywhere(kind)).unwrap();
        let reply = client.get(PRICE).await;
        assert_eq!(reply.status, 200, "{kind}");
        assert!(reply.text.contains(part), "{kind}: {}", reply.text);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&reply.text).is_ok(), json, "{kind}");
    }
    let counts = simulator.ledger().totals;
    assert_eq!((counts.requests, counts.served, counts.faulted(), counts.aborted), (10, 1, 9, 0));
}

#[tokio::test]
async fn slow_and_dripping_answers_are_right_in_the_end() {
    let simulator = start(Faults::default()).await;
    let mut client = Client::of(&simulator).await;
    let right = client.get(PRICE).await.text;
    for kind in [FaultKind::Slow(1), FaultKind::Drip(1)] {
        simulator.set_faults(Faults::everywhere(kind)).unwrap();
        assert_eq!(client.get(PRICE).await.text, right, "{kind}");
        let counts = simulator.ledger().totals;
        assert_eq!((counts.served, counts.fault(kind)), (counts.requests, 1));
    }
}

#[tokio::test]
async fn failures_of_the_api_speak_its_dialect_and_modes_do_not() {
    let id = "product-0000001";
    let kind = FaultKind::Status(500);
    let simulator = start(Faults::always([FixedFault::pair("M001", id, kind)])).await;
    let mut client = Client::of(&simulator).await;
    let envelope = format!("/envelope/markets/M001/products/{id}");
    let reply = client.get(&envelope).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["ok"]), (200, &false.into()));
    let query = format!(r#"{{"query":"q","variables":{{"channel":"M001","id":"{id}"}}}}"#);
    let reply = client.post("/graphql", &query).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["errors"].is_array());
    assert_eq!(client.get(PRICE).await.status, 500);

    simulator.set_faults(Faults::market("M001", kind)).unwrap();
    assert_eq!(client.get(&envelope).await.status, 500);
    assert_eq!(client.get("/markets/M001/products").await.status, 500);
    assert_eq!(client.get("/markets/M002/products").await.status, 200);
}

#[tokio::test]
async fn lists_fail_when_told_to() {
    let simulator = start(Faults::always([
        FixedFault::market_list(FaultKind::Html),
        FixedFault::product_list("M002", FaultKind::Status(503)).first(1),
    ]))
    .await;
    let mut client = Client::of(&simulator).await;
    assert!(client.get("/markets").await.text.contains("<html>"));
    assert_eq!(client.get("/markets/M002/products").await.status, 503);
    assert_eq!(client.get("/markets/M002/products").await.status, 200);
    simulator
        .set_faults(Faults { listings: [(FaultKind::BadJson, 1000)].into(), ..Faults::default() })
        .unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&client.get("/markets").await.text).is_err());
}

#[tokio::test]
async fn faults_are_set_from_another_process() {
    let simulator = start(Faults::default()).await;
    let mut client = Client::of(&simulator).await;
    let body = r#"{"everywhere":"down"}"#;
    assert_eq!(client.request("PUT", "/control/faults", body).await.unwrap().status, 200);
    assert_eq!(client.get(PRICE).await.status, 503);
    assert_eq!(client.get("/control/faults").await.json()["everywhere"], "status:503");
    assert_eq!(simulator.faults(), Faults::everywhere(FaultKind::Status(503)));
    for wrong in [r#"{"everywhere":"sideways"}"#, r#"{"per_attempt":{"html":1001}}"#, "{"] {
        let reply = client.request("PUT", "/control/faults", wrong).await.unwrap();
        assert_eq!(reply.status, 422, "{wrong}");
    }
    assert_eq!(client.request("PUT", "/control/faults", "{}").await.unwrap().status, 200);
    assert_eq!(client.get(PRICE).await.status, 200);
    let latency = r#"{"latency_ms":1,"latency_jitter_ms":1}"#;
    assert_eq!(client.request("PUT", "/control/latency", latency).await.unwrap().text, latency);
    assert_eq!(client.get(PRICE).await.status, 200);
}

#[tokio::test]
async fn a_hung_request_ends_with_its_client() {
    let simulator = start(Faults::everywhere(FaultKind::Hang)).await;
    let stream = begin(simulator.address(), PRICE).await;
    simulator.wait_until(|ledger| ledger.in_flight("M001") == 1).await;
    drop(stream);
    simulator.wait_until(|ledger| ledger.totals.aborted == 1).await;
    assert_eq!(simulator.ledger().totals.fault(FaultKind::Hang), 1);
}
