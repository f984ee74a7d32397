//! The three configurations of the README, each against routes of its kind.

use price_cache_domain::FailureClass::{Credentials, NotFound, Rejected};
use price_cache_domain::{Fetched, PriceSource};
use price_cache_simulator::{Catalogue, Handle, Market, Options, Product, Simulator};
use price_cache_source_http::HttpPriceSource;

use crate::support::{all_products, assert_fault, config, market, price, product, source};

async fn simulator() -> Handle {
    let products = |currency: &str| {
        let mut products: Vec<Product> =
            (0..1100).map(|n| Product::new(&format!("sku {n}/ö"), "19", currency)).collect();
        products.push(Product::new("ends in spaces  ", "4500", currency));
        products
    };
    let markets = vec![Market::new("US", products("USD")), Market::new("JP", products("JPY"))];
    Simulator::start(Options { etags: true, bearer_token: None, ..Options::new(Catalogue::new(markets)) })
        .await
        .unwrap()
}

fn example(text: &str, simulator: &Handle) -> HttpPriceSource {
    let mut config = config(text);
    assert!(config.validate().is_ok());
    config.base_url = simulator.base_url();
    source(&config)
}

#[tokio::test]
async fn a_plain_rest_api() {
    let simulator = simulator().await;
    let source = example(include_str!("../../examples/rest.toml"), &simulator);
    let markets = source.markets().await.unwrap();
    assert_eq!(markets, [market("US"), market("JP")]);
    let (ids, pages) = all_products(&source, "US").await.unwrap();
    assert_eq!((ids.len(), pages), (1101, 3));
    assert_eq!(ids[1100], "ends in spaces  ");
    assert_eq!(price(&source, "US", "sku 7/ö").await.unwrap(), "19 USD");
    assert_eq!(price(&source, "JP", "ends in spaces  ").await.unwrap(), "4500 JPY");
    assert_fault(price(&source, "US", "none").await, NotFound, "404");

    let Fetched::Price(quote) = source.price(&market("US"), &product("sku 1/ö"), None).await.unwrap() else {
        panic!("no price");
    };
    let etag = quote.etag.unwrap();
    let again = source.price(&market("US"), &product("sku 1/ö"), Some(&etag)).await.unwrap();
    assert_eq!(again, Fetched::NotModified);
}

#[tokio::test]
async fn a_graphql_shop() {
    let simulator = simulator().await;
    let source = example(include_str!("../../examples/graphql.toml"), &simulator);
    assert_eq!(source.markets().await.unwrap().len(), 3);
    let (ids, pages) = all_products(&source, "JP").await.unwrap();
    assert_eq!((ids.len(), pages), (1101, 3));
    assert_eq!(price(&source, "US", "sku 7/ö").await.unwrap(), "19.00 USD");
    assert_eq!(price(&source, "JP", "ends in spaces  ").await.unwrap(), "4500 JPY");
    assert_fault(price(&source, "US", "none").await, Rejected, "the API says");
}

#[tokio::test]
async fn a_shop_with_next_urls_and_a_cdn() {
    let simulator = simulator().await;
    let source = example(include_str!("../../examples/next-url-and-purge.toml"), &simulator);
    assert_eq!(source.markets().await.unwrap(), [market("US"), market("JP")]);
    let (ids, pages) = all_products(&source, "US").await.unwrap();
    assert_eq!((ids.len(), pages), (1101, 3));
    source.purge(&market("US"), &product("sku 7/ö")).await.unwrap();
    assert_eq!(price(&source, "US", "sku 7/ö").await.unwrap(), "19 USD");
    assert_fault(price(&source, "US", "none").await, NotFound, "");
    let ledger = simulator.ledger();
    let pair = ledger.pair("US", "sku 7/ö").unwrap();
    assert_eq!((pair.purges, pair.fetches_after_purge), (1, 1));
}

#[tokio::test]
async fn a_refused_key_is_told_apart() {
    let simulator = Simulator::start(Options {
        bearer_token: Some("another".to_owned()),
        ..Options::new(Catalogue::big_mac().unwrap())
    })
    .await
    .unwrap();
    let source = example(include_str!("../../examples/rest.toml"), &simulator);
    assert_fault(source.markets().await, Credentials, "check the key in source.headers");
    let probe = source.probe(&market("US"), &product("p")).await;
    assert_eq!(probe.status, Some(401));
    assert!(probe.request_headers.contains(&("authorization".to_owned(), "***".to_owned())));
    assert!(!format!("{probe:?} {source:?}").contains("secret"));
}
