//! Lists of markets and products in every style, and the ways in which they can be wrong.

use price_cache_domain::FailureClass::{InvalidAnswer, NotFound};
use price_cache_domain::{PriceSource, ProductLists};
use price_cache_simulator::{Catalogue, Handle, Options, Simulator};
use price_cache_source_http::{HttpPriceSource, SourceConfig};

use crate::support::{all_products, assert_fault, config, market, source};
use price_cache_simulator::raw::{RawServer, answer, ok};

fn listing(base_url: &str, markets: &str, products: &str) -> SourceConfig {
    config(&format!(
        r#"
        [source]
        base_url = "{base_url}"
        markets = {{ {markets} }}
        products = {{ {products} }}
        price = {{ url = "/p/{{product}}", amount = "$.amount", currency = "EUR" }}
        "#
    ))
}

fn products_of(base_url: &str, products: &str) -> HttpPriceSource {
    source(&listing(base_url, "list = [\"US\"]", products))
}

async fn simulator() -> Handle {
    Simulator::start(Options::new(Catalogue::named("synthetic:2x2500").unwrap())).await.unwrap()
}

#[tokio::test]
async fn every_style_of_pagination_finds_every_product_once() {
    let simulator = simulator().await;
    let base_url = simulator.base_url();
    let catalogue = simulator.catalogue();
    let id = catalogue.markets()[1].id().to_owned();
    let expected: Vec<String> = catalogue.markets()[1].ids(0, 9999).map(|id| id.into_owned()).collect();
    for (products, pages) in [
        (r#"url = "/markets/{market}/products?size=10000", items = "$.items[*].id""#, 1),
        (
            r#"url = "/markets/{market}/products", items = "$.items", pagination = { style = "page", size_param = "size", size = 1000, total_pages = "$.pages" }"#,
            3,
        ),
        (
            r#"url = "/markets/{market}/products", items = "$.items", pagination = { style = "page", size_param = "size", size = 1000 }"#,
            4,
        ),
        (
            r#"url = "/markets/{market}/products{?page,size}", items = "$.items", pagination = { style = "page", size = 1250 }"#,
            3,
        ),
        (
            r#"url = "/offset/markets/{market}/products", items = "$.items[*]", pagination = { style = "offset", size = 1000, total = "$.total" }"#,
            3,
        ),
        (
            r#"url = "/offset/markets/{market}/products", items = "$.items", id = "$.id", pagination = { style = "offset", size = 1000 }"#,
            4,
        ),
        (
            r#"url = "/cursor/markets/{market}/products?size=1000", items = "$.items", pagination = { style = "cursor", next = "$.next_cursor" }"#,
            3,
        ),
        (
            r#"url = "/next/markets/{market}/products?size=1000", items = "$.items", pagination = { style = "next_url", next = "$.next" }"#,
            3,
        ),
        (
            r#"url = "/next/markets/{market}/products?size=1000&urls=relative", items = "$.items", pagination = { style = "next_url", next = "$.next" }"#,
            3,
        ),
        (
            r#"url = "/link/markets/{market}/products?size=1000", items = "$", pagination = { style = "link_header" }"#,
            3,
        ),
        (r#"url = "/all/products", items = "$", shared = true"#, 1),
    ] {
        let source = products_of(&base_url, products);
        let (ids, count) =
            all_products(&source, &id).await.unwrap_or_else(|fault| panic!("{products}: {fault}"));
        assert_eq!(count, pages, "{products}");
        assert_eq!(ids, expected, "{products}");
        let shared = if products.contains("shared") { ProductLists::Shared } else { ProductLists::PerMarket };
        assert_eq!(source.product_lists(), shared);
    }
}

#[tokio::test]
async fn a_list_asked_for_by_post_takes_the_cursor_in_its_body() {
    let server = RawServer::start(|request| match request.contains(r#""after": null"#) {
        true => ok(r#"{"ids": ["a"], "page": {"more": true, "end": "c1"}}"#),
        false => ok(r#"{"ids": ["b"], "page": {"more": false, "end": "c2"}}"#),
    })
    .await
    .unwrap();
    let source = products_of(
        &server.base_url,
        r#"url = "/graphql", method = "POST", items = "$.ids", body = '{"market": {{ market | tojson }}, "after": {{ cursor | tojson }}}',
        pagination = { style = "cursor", next = "$.page.end", has_more = "$.page.more" }"#,
    );
    assert_eq!(all_products(&source, "US").await.unwrap().0, ["a", "b"]);
    assert!(server.requests()[1].contains(r#""after": "c1""#));
    assert!(server.requests()[1].starts_with("POST /graphql HTTP"));
}

#[tokio::test]
async fn odd_lists_are_refused_with_the_key_to_change() {
    for (body, part) in [
        ("[]", r#"source.products.items = "$.items" matched nothing"#),
        (r#"{"items": {"a": 1}}"#, "leads to an object"),
        (
            r#"{"items": [{"sku": "a"}]}"#,
            r#"item 0 of source.products.items = "$.items": source.products.id = "$.id" matched nothing"#,
        ),
        (r#"{"items": [null]}"#, "null is no id"),
        (r#"{"items": [1.5, "a", 1.5]}"#, "2 of 3 items are unusable (source.products): item 0"),
        (r#"{"items": ["a\nb"]}"#, "control character"),
        (r#"{"items": ["a\ud83d"]}"#, "item 0 of source.products.items = \"$.items\": the id holds half"),
        (r#"{"items": [""]}"#, "must not be empty"),
        (r#"{"items": ["a"]"#, "not JSON"),
        ("", "the body is empty"),
    ] {
        let server = RawServer::always(ok(body)).await.unwrap();
        let source = products_of(&server.base_url, r#"url = "/p/{market}", items = "$.items""#);
        assert_fault(source.products(&market("US"), None).await, InvalidAnswer, part);
    }
    let server = RawServer::always(answer("404 Not Found", "", "no market")).await.unwrap();
    let source = products_of(&server.base_url, r#"url = "/p/{market}", items = "$.items""#);
    let fault = source.products(&market("US"), None).await;
    assert_fault(fault, NotFound, "status 404: no market (GET /p/US)");
}

#[tokio::test]
async fn odd_ids_that_are_allowed_arrive_as_they_are() {
    let server =
        RawServer::always(ok(r#"["../x", "__proto__", 42, "a  ", "a", "a", "größe/東京"]"#)).await.unwrap();
    let source = products_of(&server.base_url, r#"url = "/p/{market}", items = "$""#);
    let (ids, _) = all_products(&source, "US").await.unwrap();
    assert_eq!(ids, ["../x", "__proto__", "42", "a  ", "a", "a", "größe/東京"]);
    let server = RawServer::always(ok("[]")).await.unwrap();
    let source = products_of(&server.base_url, r#"url = "/p/{market}", items = "$""#);
    assert_eq!(all_products(&source, "US").await.unwrap(), (vec![], 1));
}

#[tokio::test]
async fn a_list_without_end_ends() {
    // What the answer announces in so many words and does not give is a mistake.
    let page = r#"{"items": ["a"], "more": true, "total": 9, "pages": 9, "cursor": "x"}"#;
    for (pagination, part) in [
        (
            r#"{ style = "page", has_more = "$.more" }"#,
            "page 2 of the products is the same as the one before",
        ),
        (r#"{ style = "page", total = "$.total" }"#, "page 2 of the products is the same as the one before"),
        (r#"{ style = "page", total_pages = "$.pages" }"#, "is the same as the one before"),
        (r#"{ style = "offset", size = 1, total = "$.total" }"#, "is the same as the one before"),
        (r#"{ style = "cursor", next = "$.cursor", has_more = "$.more" }"#, "that page itself"),
    ] {
        let server = RawServer::always(ok(page)).await.unwrap();
        let keys = format!(r#"url = "/p/{{market}}", items = "$.items", pagination = {pagination}"#);
        assert_fault(all_products(&products_of(&server.base_url, &keys), "US").await, InvalidAnswer, part);
    }
    // A list that goes round in a larger circle is caught by the limits.
    let server = RawServer::start(|request| {
        let at: u64 =
            request.split("page=").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap();
        ok(format!(r#"["a{at}"]"#))
    })
    .await
    .unwrap();
    for (limit, part) in
        [("listing_pages_max", "more than 5 pages"), ("products_max", "more than 5 products")]
    {
        let keys = r#"url = "/p/{market}", items = "$", pagination = { style = "page" }"#;
        let mut config = listing(&server.base_url, "list = [\"US\"]", keys);
        match limit {
            "listing_pages_max" => config.limits.listing_pages_max = 5,
            _ => config.limits.products_max = 5,
        }
        assert_fault(all_products(&source(&config), "US").await, InvalidAnswer, part);
    }
}

#[tokio::test]
async fn a_next_page_on_another_server_is_refused() {
    let server = RawServer::always(ok(r#"{"items": ["a"], "next": "http://evil.example/p"}"#)).await.unwrap();
    let keys =
        r#"url = "/p/{market}", items = "$.items", pagination = { style = "next_url", next = "$.next" }"#;
    let result = all_products(&products_of(&server.base_url, keys), "US").await;
    assert_fault(result, InvalidAnswer, "allow_redirects_to = [\"http://evil.example\"]");
}

#[tokio::test]
async fn markets_are_listed_or_asked_for() {
    let markets = async |body: &'static str| {
        let server = RawServer::always(ok(body)).await.unwrap();
        let keys = r#"url = "/markets", items = "$.markets[*]", id = "$.code""#;
        source(&listing(&server.base_url, keys, "list = [\"p\"]")).markets().await
    };
    let found = markets(r#"{"markets": [{"code": "US"}, {"code": 7}, {"code": "US"}]}"#).await;
    assert_eq!(found.unwrap(), [market("US"), market("7"), market("US")]);
    assert_fault(markets(r#"{"markets": []}"#).await, InvalidAnswer, "the list of markets is empty");
    assert_fault(markets("<html>").await, InvalidAnswer, "HTML");
    let products = source(&listing("http://127.0.0.1:1", "list = [\"US\"]", "list = [\"p\", \"q\"]"));
    assert_eq!(products.product_lists(), ProductLists::Shared);
    assert_eq!(all_products(&products, "US").await.unwrap().0, ["p", "q"]);
}
