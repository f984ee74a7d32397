//! Every usual way in which a list of products ends, and what only looks like one.

use price_cache_domain::FailureClass::{InvalidAnswer, NotFound, Rejected};
use price_cache_domain::Fault;
use price_cache_simulator::raw::{RawServer, Reply, Then, answer, ok};

use crate::support::{all_products, assert_fault, config, source};

/// The ids that a list with this pagination has, where its pages are these and the last is given for ever.
async fn walked(pagination: &str, pages: Vec<Reply>) -> Result<String, Fault> {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = RawServer::start(move |_| {
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        pages.get(at).or(pages.last()).unwrap().clone()
    })
    .await
    .unwrap();
    let config = config(&format!(
        r#"
        [source]
        base_url = "{}"
        markets = {{ list = ["US"] }}
        products = {{ url = "/p/{{market}}", items = "$.items", pagination = {pagination} }}
        price = {{ url = "/p/{{product}}", amount = "$.amount", currency = "EUR" }}
        [source.limits]
        listing_pages_max = 8
        "#,
        server.base_url
    ));
    Ok(all_products(&source(&config), "US").await?.0.join(" "))
}

const PAGE: &str = r#"{ style = "page" }"#;
const OFFSET: &str = r#"{ style = "offset", size = 2 }"#;
const CURSOR: &str = r#"{ style = "cursor", next = "$.next" }"#;
const NEXT_URL: &str = r#"{ style = "next_url", next = "$.next" }"#;

#[tokio::test]
async fn a_page_that_is_not_there_ends_the_list() {
    let first = r#"{"items": ["a", "b"], "next": "n2"}"#;
    let second = r#"{"items": ["c"], "next": "n3"}"#;
    for (pagination, end) in [
        (PAGE, answer("404 Not Found", "", r#"{"detail": "Invalid page."}"#)),
        (PAGE, answer("400 Bad Request", "", "page out of range")),
        (PAGE, Reply("HTTP/1.1 204 No Content\r\n\r\n".into(), Then::Keep)),
        (OFFSET, answer("404 Not Found", "", "")),
        (OFFSET, answer("400 Bad Request", "", "")),
        (CURSOR, answer("404 Not Found", "", "")),
        (NEXT_URL, answer("404 Not Found", "", "")),
    ] {
        let ids = walked(pagination, vec![ok(first), ok(second), end]).await;
        assert_eq!(ids.unwrap(), "a b c", "{pagination}");
    }
}

#[tokio::test]
async fn a_refused_page_is_no_end_where_it_is_the_first_or_was_announced() {
    let missing = answer("404 Not Found", "", "gone");
    for pagination in [PAGE, OFFSET, CURSOR, NEXT_URL] {
        assert_fault(walked(pagination, vec![missing.clone()]).await, NotFound, "status 404: gone");
    }
    let first = ok(r#"{"items": ["a"], "more": true, "pages": 3, "total": 3, "next": "n2"}"#);
    for pagination in [
        r#"{ style = "page", has_more = "$.more" }"#,
        r#"{ style = "page", total_pages = "$.pages" }"#,
        r#"{ style = "offset", size = 1, has_more = "$.more" }"#,
        r#"{ style = "cursor", next = "$.next", has_more = "$.more" }"#,
    ] {
        let pages = vec![first.clone(), missing.clone()];
        assert_fault(walked(pagination, pages).await, NotFound, "status 404: gone");
    }
    // A cursor that is refused may have expired.
    let expired = answer("400 Bad Request", "", "cursor expired");
    assert_fault(walked(CURSOR, vec![first, expired]).await, Rejected, "cursor expired");
}

#[tokio::test]
async fn the_last_page_again_ends_the_list() {
    let page = |ids: &str, next: &str| ok(format!(r#"{{"items": [{ids}], "next": "{next}"}}"#));
    for pagination in [PAGE, OFFSET] {
        let pages = vec![page(r#""a", "b""#, ""), page(r#""c", "d""#, ""), page(r#""d", "c""#, "")];
        assert_eq!(walked(pagination, pages).await.unwrap(), "a b c d d c");
        assert_eq!(walked(pagination, vec![page(r#""a""#, "")]).await.unwrap(), "a a");
    }
    for pagination in [CURSOR, NEXT_URL] {
        let pages = vec![page(r#""a""#, "n2"), page(r#""b""#, "n3"), page(r#""b""#, "n3")];
        assert_eq!(walked(pagination, pages).await.unwrap(), "a b b");
    }
}

#[tokio::test]
async fn a_list_may_end_before_its_total() {
    let page = |ids: &str| ok(format!(r#"{{"items": [{ids}], "total": 7}}"#));
    let first = [page(r#""a", "b""#), page(r#""c", "d""#)];
    for end in [page(""), page(r#""c", "d""#), answer("404 Not Found", "", "")] {
        for keys in [
            r#"{ style = "page", total = "$.total" }"#,
            r#"{ style = "offset", size = 2, total = "$.total" }"#,
        ] {
            let ids = walked(keys, [first.as_slice(), std::slice::from_ref(&end)].concat()).await.unwrap();
            assert!(ids.starts_with("a b c d"), "{ids}");
        }
    }
}

#[tokio::test]
async fn the_same_cursor_ends_the_list_only_where_it_brings_nothing_new() {
    let page = |ids: &str| ok(format!(r#"{{"items": [{ids}], "next": "scroll"}}"#));
    let pages = vec![page(r#""a""#), page(r#""b""#), page(r#""c""#), page("")];
    assert_eq!(walked(CURSOR, pages).await.unwrap(), "a b c");
    let pages = vec![page(r#""a""#), page(r#""b""#), page(r#""b""#)];
    assert_eq!(walked(CURSOR, pages).await.unwrap(), "a b b");
}

#[tokio::test]
async fn sentinels_of_cursors_end_the_list() {
    for sentinel in ["0", "\"\"", "\" \"", "false", "null", "\"0\"", "\"null\"", "-1", "[]", "{}", "0.0"] {
        for pagination in [CURSOR, NEXT_URL] {
            let pages =
                [r#""n2""#, sentinel].map(|next| ok(format!(r#"{{"items": ["a"], "next": {next}}}"#)));
            assert_eq!(walked(pagination, pages.to_vec()).await.unwrap(), "a a", "{sentinel}");
        }
    }
    for (odd, part) in [("true", "leads to a truth value"), ("1.5", "leads to a number"), ("[1]", "an array")]
    {
        let page = ok(format!(r#"{{"items": ["a"], "next": {odd}}}"#));
        assert_fault(walked(CURSOR, vec![page]).await, InvalidAnswer, part);
    }
}

#[tokio::test]
async fn an_empty_or_null_page_ends_the_list() {
    let first = ok(r#"{"items": ["a"], "total": 1, "next": null}"#);
    for end in [r#"{"items": []}"#, r#"{"items": null}"#, r#"{"items": null, "total": null}"#] {
        for pagination in [PAGE, OFFSET] {
            assert_eq!(walked(pagination, vec![first.clone(), ok(end)]).await.unwrap(), "a", "{end}");
        }
    }
    for pagination in
        [PAGE, OFFSET, CURSOR, NEXT_URL, r#"{ style = "none" }"#, r#"{ style = "page", total = "$.total" }"#]
    {
        assert_eq!(walked(pagination, vec![ok(r#"{"items": null}"#)]).await.unwrap(), "", "{pagination}");
    }
}

#[tokio::test]
async fn whether_more_follows_may_be_written_as_a_number_or_a_text() {
    for (yes, no) in [
        ("true", "false"),
        ("1", "0"),
        ("1.0", "0.0"),
        (r#""true""#, r#""false""#),
        (r#""True""#, r#""False""#),
        (r#""1""#, r#""0""#),
        (r#""yes""#, r#""no""#),
    ] {
        let page = |id: &str, more: &str| {
            ok(format!(r#"{{"items": ["{id}"], "next": "after-{id}", "more": {more}}}"#))
        };
        for pagination in [
            r#"{ style = "page", has_more = "$.more" }"#,
            r#"{ style = "offset", size = 1, has_more = "$.more" }"#,
            r#"{ style = "cursor", next = "$.next", has_more = "$.more" }"#,
        ] {
            let pages = vec![page("a", yes), page("b", yes), page("c", no)];
            assert_eq!(walked(pagination, pages).await.unwrap(), "a b c", "{yes} {pagination}");
        }
    }
    for odd in ["2", r#""perhaps""#, "[]"] {
        let page = ok(format!(r#"{{"items": ["a"], "more": {odd}}}"#));
        let keys = r#"{ style = "page", has_more = "$.more" }"#;
        assert_fault(walked(keys, vec![page]).await, InvalidAnswer, "not to a truth value");
    }
}
