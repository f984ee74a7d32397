//! Ids may be any text: they are decoded after the path is split, and come back unchanged.

use std::fmt::Write;

use price_cache_simulator::{Catalogue, Market, Options, Product, Simulator};

use crate::client::Client;

const ODD: [&str; 12] = [
    "a/b",
    "../up",
    "Standard_NM16ads_MA35D  ",
    "größe:L",
    "日本",
    "<script>alert(\"1\")</script>",
    "50%25",
    "a+b&c=d?e#f",
    "with \"quotes\" and \\",
    "products",
    "tab\tinside",
    "🙂",
];

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "%{byte:02x}").unwrap();
        out
    })
}

#[tokio::test]
async fn odd_ids_survive_lists_and_prices() {
    let products: Vec<Product> =
        ODD.iter().enumerate().map(|(n, id)| Product::new(id, &format!("{n}.50"), "EUR")).collect();
    let markets = ODD.iter().map(|id| Market::new(*id, products.clone())).collect();
    let simulator = Simulator::start(Options::new(Catalogue::new(markets))).await.unwrap();
    let mut client = Client::of(&simulator).await;

    let markets: Vec<String> = serde_json::from_str(&client.get("/markets/plain").await.text).unwrap();
    assert_eq!(markets, ODD);
    for market in ODD {
        let mut target = format!("/next/markets/{}/products?size=5", encoded(market));
        let mut found = Vec::new();
        loop {
            let body = client.get(&target).await.json();
            let items = body["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = body["next"].as_str() else { break };
            target = next.strip_prefix(&simulator.base_url()).unwrap().to_owned();
        }
        assert_eq!(found, ODD);
        for (number, product) in ODD.iter().enumerate() {
            let target = format!("/markets/{}/products/{}/price", encoded(market), encoded(product));
            let body = client.get(&target).await.json();
            assert_eq!((&body["market"], &body["product"]), (&market.into(), &(*product).into()));
            assert_eq!(body["amount"], number as f64 + 0.5);
            assert_eq!(simulator.ledger().requests(market, product), 1);
        }
    }
    let pairs = client.get("/control/ledger/pairs").await.json();
    assert_eq!(pairs.as_array().unwrap().len(), ODD.len() * ODD.len());
}
