//! Prices in every dialect and form, entity tags, authorization and purges.

use price_cache_simulator::{Catalogue, Handle, Options, Simulator};

use crate::client::Client;

const CSV: &str =
    "market,product,currency,amount\nDE,shirt,EUR,19.90\nJP,shirt,JPY,600\nDE,hour,USD,0.024000\n";

fn options() -> Options {
    Options::new(Catalogue::from_csv(CSV).unwrap())
}

async fn start() -> (Handle, Client) {
    let simulator = Simulator::start(options()).await.unwrap();
    let client = Client::of(&simulator).await;
    (simulator, client)
}

#[tokio::test]
async fn three_forms_of_money() {
    let (_simulator, mut client) = start().await;
    for (form, amount) in [("number", "19.90"), ("string", "\"19.90\""), ("minor", "1990")] {
        let reply = client.get(&format!("/markets/DE/products/shirt/price?form={form}")).await;
        let expected = format!(r#"{{"product":"shirt","market":"DE","amount":{amount},"currency":"EUR"}}"#);
        assert_eq!(reply.text, expected);
    }
    let yen = client.get("/markets/JP/products/shirt/price?form=minor").await;
    assert_eq!(yen.json()["amount"], 600);
    let inexact = client.get("/markets/DE/products/hour/price?form=minor").await;
    assert_eq!(inexact.status, 422);
    assert_eq!(client.get("/markets/DE/products/shirt/price?form=odd").await.status, 400);
}

#[tokio::test]
async fn a_price_by_post() {
    let (simulator, mut client) = start().await;
    let reply = client.post("/prices?form=string", r#"{"market":"DE","product":"shirt"}"#).await;
    assert_eq!(reply.json()["amount"], "19.90");
    assert_eq!(client.post("/prices", r#"{"market":"DE"}"#).await.status, 400);
    assert_eq!(client.post("/prices", "nonsense").await.status, 400);
    assert_eq!(simulator.ledger().requests("DE", "shirt"), 1);
}

#[tokio::test]
async fn graphql_says_errors_with_200() {
    let (simulator, mut client) = start().await;
    let ask = |id: &str| format!(r#"{{"query":"q","variables":{{"channel":"DE","id":"{id}"}}}}"#);
    let reply = client.post("/graphql", &ask("shirt")).await;
    let gross = &reply.json()["data"]["product"]["pricing"]["price"]["gross"];
    assert_eq!((&gross["amountMinor"], &gross["currency"]), (&1990.into(), &"EUR".into()));
    for body in [ask("missing"), ask("hour"), r#"{"query":"q"}"#.to_owned()] {
        let reply = client.post("/graphql", &body).await;
        assert_eq!(reply.status, 200);
        assert!(reply.json()["errors"][0]["message"].is_string());
        assert!(reply.json()["data"].is_null());
    }
    assert_eq!(simulator.ledger().pair("DE", "missing").unwrap().unknown, 1);
}

#[tokio::test]
async fn an_envelope_says_failure_with_200() {
    let (_simulator, mut client) = start().await;
    let good = client.get("/envelope/markets/DE/products/shirt").await.json();
    assert_eq!((&good["ok"], &good["result"]["currency"]), (&true.into(), &"EUR".into()));
    let bad = client.get("/envelope/markets/DE/products/missing").await;
    assert_eq!(bad.status, 200);
    assert_eq!(bad.json()["ok"], false);
    let plain = client.get("/markets/DE/products/missing/price").await;
    assert_eq!(plain.status, 404);
    assert!(plain.json()["error"].as_str().unwrap().contains("missing"));
}

#[tokio::test]
async fn entity_tags_follow_the_price() {
    let simulator = Simulator::start(Options { etags: true, ..options() }).await.unwrap();
    let mut client = Client::of(&simulator).await;
    let target = "/markets/DE/products/shirt/price";
    let etag = client.get(target).await.header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"'), "{etag} is not a strong tag");
    let same = client.get_unless(target, &etag).await;
    assert_eq!((same.status.as_u16(), same.text.as_str(), same.header("etag")), (304, "", Some(&*etag)));
    let listed = client.get_unless(target, &format!("\"x\", {etag}")).await;
    assert_eq!(listed.status, 304);

    simulator.catalogue_mut(|catalogue| catalogue.set_price("DE", "shirt", "20.00", "EUR"));
    let changed = client.get_unless(target, &etag).await;
    assert_eq!((changed.status.as_u16(), changed.json()["amount"].to_string()), (200, "20.0".to_owned()));
    let counts = simulator.ledger().pair("DE", "shirt").unwrap().clone();
    assert_eq!((counts.requests, counts.served, counts.not_modified, counts.aborted), (4, 2, 2, 0));
}

#[tokio::test]
async fn without_the_token_nothing_is_told() {
    let token = Some("s3cret".to_owned());
    let simulator = Simulator::start(Options { bearer_token: token, ..options() }).await.unwrap();
    let mut client = Client::of(&simulator).await;
    let targets = ["/markets", "/markets/DE/products", "/markets/DE/products/shirt/price"];
    for target in targets {
        assert_eq!(client.get(target).await.status, 401, "{target}");
    }
    client.bearer = Some("wrong");
    assert_eq!(client.get("/markets").await.status, 401);
    client.bearer = Some("s3cret");
    for target in targets {
        assert_eq!(client.get(target).await.status, 200, "{target}");
    }
    client.bearer = None;
    assert_eq!(client.get("/healthz").await.status, 200);
    assert_eq!(client.get("/control/ledger").await.status, 200);
}

#[tokio::test]
async fn purges_are_counted_in_order_with_the_fetches() {
    let (simulator, mut client) = start().await;
    let price = "/markets/DE/products/shirt/price";
    client.get(price).await;
    for (method, target, body) in [
        ("PURGE", "/cdn/markets/DE/products/shirt/price", ""),
        ("POST", "/purge", r#"{"market":"DE","product":"shirt"}"#),
        ("POST", "/purge?market=DE&product=shirt", ""),
        ("POST", "/purge", r#"{"url":"https://cdn.example/markets/DE/products/shirt/price?form=minor"}"#),
        ("PURGE", "/cdn/DE/shirt", ""),
    ] {
        assert_eq!(client.request(method, target, body).await.unwrap().status, 200);
        client.get(price).await;
    }
    client.request("PURGE", "/cdn/images/logo.png", "").await.unwrap();
    let ledger = simulator.ledger();
    let counts = ledger.pair("DE", "shirt").unwrap();
    assert_eq!((counts.requests, counts.purges, counts.fetches_after_purge), (6, 5, 5));
    assert_eq!((ledger.totals.purges, ledger.totals.fetches_after_purge), (6, 5));
}
