//! Each style of pagination, walked to its end, gives each product once and in order.

use price_cache_simulator::{Catalogue, Handle, Options, Simulator};
use serde_json::Value;

use crate::client::Client;

const PRODUCTS: u32 = 25;

async fn start() -> Handle {
    Simulator::start(Options::new(Catalogue::synthetic(2, PRODUCTS))).await.unwrap()
}

fn expected() -> Vec<String> {
    (1..=PRODUCTS).map(|number| format!("product-{number:07}")).collect()
}

fn ids(items: &Value) -> Vec<String> {
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn by_page_number() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    for size in [1, 7, 25, 1000] {
        let mut found = Vec::new();
        for page in 1.. {
            let body = client.get(&format!("/markets/M001/products?page={page}&size={size}")).await.json();
            found.extend(ids(&body["items"]));
            assert_eq!(body["page"], page);
            if body["pages"] == page {
                break;
            }
        }
        assert_eq!(found, expected(), "size {size}");
    }
    let beyond = client.get("/markets/M001/products?page=99").await.json();
    assert!(ids(&beyond["items"]).is_empty());
    assert_eq!(simulator.ledger().listing_requests("M001"), 25 + 4 + 1 + 1 + 1);
}

#[tokio::test]
async fn by_offset() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    let mut found = Vec::new();
    loop {
        let target = format!("/offset/markets/M001/products?offset={}&limit=10", found.len());
        let body = client.get(&target).await.json();
        found.extend(ids(&body["items"]));
        if body["total"] == found.len() {
            break;
        }
    }
    assert_eq!(found, expected());
}

#[tokio::test]
async fn by_cursor() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let encoded = cursor.replace('+', "%2B").replace('=', "%3D");
        let body =
            client.get(&format!("/cursor/markets/M001/products?size=10&cursor={encoded}")).await.json();
        found.extend(ids(&body["items"]));
        match body["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(found, expected());
    // A cursor that was not percent-encoded is another one.
    let reply = client.get(&format!("/cursor/markets/M001/products?cursor={cursor}")).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn by_next_url() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    for (urls, prefix) in [("absolute", simulator.base_url()), ("relative", String::new())] {
        let mut found = Vec::new();
        let mut target = format!("/next/markets/M001/products?size=10&urls={urls}");
        loop {
            let body = client.get(&target).await.json();
            found.extend(ids(&body["items"]));
            let Some(next) = body["next"].as_str() else { break };
            target = next.strip_prefix(prefix.as_str()).unwrap().to_owned();
            assert!(target.starts_with("/next/"), "{next}");
        }
        assert_eq!(found, expected(), "{urls}");
    }
}

#[tokio::test]
async fn by_link_header() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    let mut found = Vec::new();
    let mut target = "/link/markets/M001/products?size=10".to_owned();
    loop {
        let reply = client.get(&target).await;
        found.extend(ids(&reply.json()));
        let links = reply.header("link").unwrap();
        let next = links.split(", ").find_map(|link| link.strip_suffix("; rel=\"next\""));
        let Some(next) = next else { break };
        target = next.trim_matches(['<', '>']).strip_prefix(&simulator.base_url()).unwrap().to_owned();
    }
    assert_eq!(found, expected());
}

#[tokio::test]
async fn lists_that_are_not_paged() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    assert_eq!(client.get("/markets").await.text, r#"{"markets":[{"id":"M001"},{"id":"M002"}]}"#);
    assert_eq!(client.get("/markets/plain").await.text, r#"["M001","M002"]"#);
    let all: Vec<String> = serde_json::from_str(&client.get("/all/products").await.text).unwrap();
    assert_eq!(all, expected());
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let simulator = start().await;
    let mut client = Client::of(&simulator).await;
    for (target, word) in [
        ("/markets/M001/products?page=0", "page"),
        ("/markets/M001/products?size=0", "size"),
        ("/markets/M001/products?size=10001", "size"),
        ("/offset/markets/M001/products?limit=-1", "limit"),
        ("/offset/markets/M001/products?offset=x", "offset"),
        ("/cursor/markets/M001/products?cursor=zzz", "cursor"),
        ("/next/markets/M001/products?urls=odd", "urls"),
        ("/markets/%zz/products", "percent"),
    ] {
        let reply = client.get(target).await;
        assert_eq!(reply.status, 400, "{target}");
        assert!(reply.json()["error"].as_str().unwrap().contains(word), "{}", reply.text);
    }
    assert_eq!(client.get("/markets/M009/products").await.status, 404);
    assert_eq!(client.get("/other/markets/M001/products").await.status, 404);
}
