//! Items of lists that are no products, odd fields beside the ids, and what an error of a list shows.

use price_cache_domain::FailureClass::{InvalidAnswer, NotFound};
use price_cache_domain::{Fault, PriceSource, ProductPage};
use price_cache_simulator::raw::{RawServer, answer, ok};
use price_cache_source_http::HttpPriceSource;

use crate::support::{assert_fault, config, market, source};

fn listing(base_url: &str, products: &str) -> HttpPriceSource {
    source(&config(&format!(
        r#"
        [source]
        base_url = "{base_url}"
        markets = {{ url = "/markets", items = "$.items" }}
        products = {{ {products} }}
        price = {{ url = "/p/{{product}}", amount = "$.amount", currency = "EUR", error_path = "$.error.text" }}
        "#
    )))
}

async fn page(body: impl AsRef<[u8]>, keys: &str) -> Result<ProductPage, Fault> {
    let server = RawServer::always(ok(body)).await.unwrap();
    listing(&server.base_url, &format!(r#"url = "/p/{{market}}", {keys}"#))
        .products(&market("US"), None)
        .await
}

fn ids(page: &ProductPage) -> Vec<&str> {
    page.products.iter().map(|product| product.as_str()).collect()
}

#[tokio::test]
async fn an_item_that_is_no_product_is_skipped_counted_and_named_once() {
    let long = format!(r#"{{"sku": "{}"}}"#, "x".repeat(513));
    for (odd, part) in [
        (r#"{"name": "Mug"}"#, r#"source.products.id = "$.sku" matched nothing"#),
        (r#"{"sku": null}"#, "leads to null, not to a text or whole number"),
        (r#"{"sku": ""}"#, "must not be empty"),
        (r#"{"sku": true}"#, "leads to a truth value"),
        (r#"{"sku": 1.5}"#, "leads to a number"),
        (r#"{"sku": ["a"]}"#, "leads to an array"),
        (r#"{"sku": {"a": 1}}"#, "leads to an object"),
        (r#"{"sku": "a\nb"}"#, "control character"),
        (r#"{"sku": "a\ud83d"}"#, "half of a surrogate pair"),
        (long.as_str(), "513 bytes"),
        ("null", "matched nothing"),
        ("7", "matched nothing"),
        ("[]", "matched nothing"),
    ] {
        let body = format!(r#"{{"items": [{{"sku": "a"}}, {odd}, {{"sku": 7}}, {odd}]}}"#);
        for items in ["$.items", "$.items[*]", "$.items[?@ || !@]"] {
            let page = page(&body, &format!(r#"items = "{items}", id = "$.sku""#)).await.unwrap();
            assert_eq!(ids(&page), ["a", "7"], "{odd}");
            assert_eq!(page.skipped.count, 2, "{odd}");
            let example = page.skipped.example.unwrap();
            assert!(
                example.contains("item 1 of source.products.items") && example.contains(part),
                "{example}"
            );
        }
    }
}

#[tokio::test]
async fn a_path_to_the_ids_skips_the_items_without_one() {
    let body = r#"{"items": [{"node": {"sku": "a"}}, {"node": null}, {"node": {"sku": "b"}}]}"#;
    for keys in [r#"items = "$.items[*].node.sku""#, r#"items = "$.items[*].node", id = "$.sku""#] {
        let page = page(body, keys).await.unwrap();
        assert_eq!((ids(&page), page.skipped.count), (vec!["a", "b"], 1), "{keys}");
    }
    let nested = r#"{"products": [{"variants": [{"id": 1}, {"id": 2}]}, {"variants": []}, {"variants": [{"id": 3}]}]}"#;
    let page = page(nested, r#"items = "$.products[*].variants[*].id""#).await.unwrap();
    assert_eq!(ids(&page), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_list_of_which_more_than_half_is_unusable_has_failed() {
    for (body, part) in [
        (
            r#"{"items": [{"a": 1}]}"#,
            "1 of 1 items are unusable (source.products): item 0 of source.products.items",
        ),
        (r#"{"items": ["a", null, null]}"#, "2 of 3 items are unusable"),
    ] {
        assert_fault(page(body, r#"items = "$.items""#).await, InvalidAnswer, part);
    }
    // What counts is the list so far: the last page may be one odd item.
    let server = RawServer::start(|request| match request.contains("page=2") {
        true => ok(r#"{"items": [null], "total": 3}"#),
        false => ok(r#"{"items": ["a", "b"], "total": 3}"#),
    })
    .await
    .unwrap();
    let source = listing(
        &server.base_url,
        r#"url = "/p/{market}", items = "$.items", pagination = { style = "page", total = "$.total" }"#,
    );
    let first = source.products(&market("US"), None).await.unwrap();
    assert_eq!((ids(&first), first.skipped.count, first.announced), (vec!["a", "b"], 0, Some(3)));
    let second = source.products(&market("US"), first.next.as_ref()).await.unwrap();
    assert_eq!((ids(&second), second.skipped.count, second.announced), (vec![], 1, Some(3)));
    assert_eq!(second.next, None, "an item that was skipped counts towards the total");
}

#[tokio::test]
async fn an_offset_counts_the_items_that_were_skipped() {
    let server = RawServer::start(|request| match request.contains("offset=3") {
        true => ok(r#"["d"]"#),
        false if request.contains("offset=0") => ok(r#"["a", null, "c"]"#),
        false => ok("[]"),
    })
    .await
    .unwrap();
    let source = listing(
        &server.base_url,
        r#"url = "/p/{market}", items = "$", pagination = { style = "offset", size = 3 }"#,
    );
    let first = source.products(&market("US"), None).await.unwrap();
    let second = source.products(&market("US"), first.next.as_ref()).await.unwrap();
    assert_eq!((ids(&first), ids(&second)), (vec!["a", "c"], vec!["d"]));
}

#[tokio::test]
async fn a_market_that_is_none_is_skipped() {
    for (body, expected) in [
        (r#"{"items": ["US", null, "DE"]}"#, Ok(2)),
        (r#"{"items": ["US", null, {"code": "DE"}]}"#, Err("2 of 3 items are unusable (source.markets)")),
    ] {
        let server = RawServer::always(ok(body)).await.unwrap();
        let found = listing(&server.base_url, r#"list = ["p"]"#).markets().await;
        match expected {
            Ok(count) => assert_eq!(found.unwrap().len(), count),
            Err(part) => drop(assert_fault(found, InvalidAnswer, part)),
        }
    }
}

#[tokio::test]
async fn fields_that_nobody_reads_do_not_matter() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for odd in [r#""Mug \ud83d""#, r#""\ude00 Mug""#, "1e999", r#"{"a": 1, "a": 2}"#, deep.as_str()] {
        for (items, id) in [("$.items", "$.sku"), ("$.items[*]", "$['sku']")] {
            let body = format!(
                r#"{{"odd": {odd}, "items": [{{"name": {odd}, "sku": "a", "more": {odd}}}, {{"sku": "b"}}], "last": {odd}}}"#
            );
            let page = page(&body, &format!(r#"items = "{items}", id = "{id}""#)).await.unwrap();
            assert_eq!((ids(&page), page.skipped.count), (vec!["a", "b"], 0), "{odd:.40}");
        }
    }
}

#[tokio::test]
async fn bytes_that_belong_into_no_text_harm_only_the_ids_they_are_in() {
    let body = b"{\"items\": [{\"name\": \"M\xFCg\", \"sku\": \"a\"}, {\"sku\": \"b\xFC\"}, {\"name\": \"two\nlines\\\"\t\", \"sku\": \"c\"}, {\"sku\": \"d\ne\"}]}";
    let page = page(body, r#"items = "$.items", id = "$.sku""#).await.unwrap();
    assert_eq!((ids(&page), page.skipped.count), (vec!["a", "c"], 2));
    assert!(page.skipped.example.unwrap().contains("the id is not UTF-8"));
}

#[tokio::test]
async fn whole_numbers_are_ids_with_every_digit() {
    let page = page(r#"{"items": [12345678901234567890123, -7, 0]}"#, r#"items = "$.items""#).await.unwrap();
    assert_eq!(ids(&page), ["12345678901234567890123", "-7", "0"]);
}

#[tokio::test]
async fn a_cursor_may_be_in_the_last_item() {
    let server = RawServer::start(|request| match request.contains("after=b") {
        true => ok(r#"{"items": [{"id": "c"}]}"#),
        false if request.contains("after=c") => ok(r#"{"items": []}"#),
        false => ok(r#"{"items": [{"id": "a"}, {"id": "b"}]}"#),
    })
    .await
    .unwrap();
    let keys = r#"url = "/p/{market}", items = "$.items",
        pagination = { style = "cursor", param = "after", next = "$.items[-1].id" }"#;
    let found = crate::support::all_products(&listing(&server.base_url, keys), "US").await.unwrap();
    assert_eq!(found.0, ["a", "b", "c"]);
}

#[tokio::test]
async fn an_error_of_a_list_shows_the_query_and_the_reason() {
    let long = format!(
        r#"{{"timestamp": "2026-11-23T10:00:00Z", "status": 404, "trace": "{}", "message": "this channel was closed"}}"#,
        "x".repeat(300)
    );
    let custom = format!(r#"{{"error": {{"trace": "{}", "text": "closed for good"}}}}"#, "x".repeat(300));
    let filler = "x".repeat(60);
    let near = format!(r#"{{"trace": "{filler}", "reason": "this channel was closed"}}"#);
    for (body, part) in [
        (long.as_str(), "status 404: this channel was closed (GET /p/US?"),
        (custom.as_str(), "status 404: closed for good (GET /p/US?"),
        (near.as_str(), "this channel was closed"),
    ] {
        let server = RawServer::always(answer("404 Not Found", "", body)).await.unwrap();
        let keys = r#"url = "/p/{market}?key=${SHOP_API_KEY}", items = "$.items",
            pagination = { style = "page", size_param = "size", size = 50 }"#;
        let result = listing(&server.base_url, keys).products(&market("US"), None).await;
        let fault = assert_fault(result, NotFound, part);
        let asked = "(GET /p/US?key=***&page=1&size=50)";
        assert!(fault.failure.message().ends_with(asked), "{fault}");
    }
}
