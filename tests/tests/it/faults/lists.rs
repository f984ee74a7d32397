//! Lists of products that are empty, out of order or full of odd ids: what can be a product is one, and the rest is
//! said before any price is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use price_cache_simulator::raw::{Asked, RawServer, Reply, ok};
use price_cache_tests::{Scene, Settings};
use serde_json::json;

use super::row::document;
use super::upstream::segments;

/// Ids that mean something to a file system, a script, a URL, a page or a terminal.
const ODD_IDS: [&str; 10] = [
    "../x",
    "__proto__",
    "constructor",
    "%2e%2e%2f",
    "a?b#c&d=e;f",
    " a ",
    "größe/東京",
    "<b>x</b>",
    "C:\\x",
    "\u{202e}x",
];

const EMPTY: &str = "[]";

/// Asks for pages of products, one after another, until one is empty.
async fn scene(server: &RawServer, markets: &[&str]) -> anyhow::Result<Scene> {
    let source = format!(
        "[source]\nbase_url = \"{}\"\nmarkets.list = {}\n[source.products]\nurl = \"/products/{{market}}\"\n\
         items = \"$\"\npagination = {{ style = \"page\" }}\n[source.price]\nurl = \"/price/{{market}}/{{product}}\"\n\
         amount = \"$.amount\"\ncurrency = \"EUR\"\nproduct_check = \"$.product\"\n",
        server.base_url,
        json!(markets),
    );
    Scene::new(&source, &Settings::default())
}

/// A price for each product, and the lists of a function of the page.
async fn upstream(list: impl Fn(&str) -> String + Send + Sync + 'static) -> anyhow::Result<RawServer> {
    let reply = move |asked: &Asked| -> Reply {
        match (segments(asked.target()).as_slice(), asked.target().split_once("?page=")) {
            ([_, _, product], _) => ok(document(product, "19.90")),
            (_, Some((_, page))) => ok(list(page)),
            _ => ok(EMPTY),
        }
    };
    Ok(RawServer::start(reply).await?)
}

fn prices_asked_for(server: &RawServer) -> usize {
    server.calls().iter().filter(|call| call.target().starts_with("/price/")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_ids_are_products_and_markets_like_any_other() -> anyhow::Result<()> {
    let list = |page: &str| if page == "1" { json!(ODD_IDS).to_string() } else { EMPTY.to_owned() };
    let server = upstream(list).await?;
    let scene = scene(&server, &ODD_IDS).await?;
    let cache = scene.server().await?;
    cache.api.start().await?;
    let done = cache.api.state("COMPLETED").await?;
    let pairs = ODD_IDS.len() * ODD_IDS.len();
    ensure!(done.completed() == pairs as u64 && done.failed() == 0, "{:#}", done.json);
    ensure!(prices_asked_for(&server) == pairs, "each once");
    for market in ODD_IDS {
        ensure!(done.markets.contains_key(market), "{market:?} is not in the status");
        for product in ODD_IDS {
            let entry = cache.api.price(market, product).await?.json()?;
            ensure!(entry["product_id"] == product && entry["market_id"] == market, "{entry}");
            ensure!(entry["price"]["amount"] == "19.90", "{entry}");
        }
        ensure!(cache.api.prices(market).await?.len() == ODD_IDS.len(), "the list of {market:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_dots_alone_fails_without_a_request() -> anyhow::Result<()> {
    let list = |page: &str| if page == "1" { r#"["good", "..", "."]"#.to_owned() } else { EMPTY.to_owned() };
    let server = upstream(list).await?;
    let scene = scene(&server, &["US"]).await?;
    let cache = scene.server().await?;
    cache.api.start().await?;
    let done = cache.api.state("COMPLETED").await?;
    ensure!(done.completed() == 3 && done.failed() == 2, "{:#}", done.json);
    for error in cache.api.failed_products().await? {
        let message = error["message"].as_str().unwrap_or_default();
        ensure!(error["class"] == "rejected" && message.contains("query"), "{error}");
    }
    ensure!(prices_asked_for(&server) == 1, "nothing is asked for in the folder above");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_no_product_is_skipped_counted_and_named() -> anyhow::Result<()> {
    let list = |page: &str| match page {
        "1" => r#"["good", "bad\nid", null, "id", "", "more", "most"]"#.to_owned(),
        _ => EMPTY.to_owned(),
    };
    let server = upstream(list).await?;
    let scene = scene(&server, &["US"]).await?;
    let cache = scene.server().await?;
    cache.api.start().await?;
    let done = cache.api.state("COMPLETED").await?;
    ensure!(done.completed() == 4 && done.failed() == 0, "{:#}", done.json);
    ensure!(prices_asked_for(&server) == 4, "a price was asked for that is not sold");
    let told = scene.stderr();
    let warning = told.lines().find(|line| line.contains("items of the product list are no products"));
    let warning = warning.unwrap_or_default();
    ensure!(warning.contains("market=US") && warning.contains("skipped=3"), "{told}");
    ensure!(warning.contains("control character"), "the first is named: {warning}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_shift_and_lists_that_turn_round_lose_and_double_nothing() -> anyhow::Result<()> {
    let run = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&run);
    // What was at the end of a page is at the beginning of the next one, because the shop sells something new.
    let list = move |page: &str| match (page, seen.load(Ordering::Relaxed)) {
        ("1", 0) => r#"["a", "b", "c"]"#.to_owned(),
        ("2", 0) => r#"["c", "b", "d"]"#.to_owned(),
        ("1", _) => r#"["d", "c", "b", "a"]"#.to_owned(),
        _ => EMPTY.to_owned(),
    };
    let server = upstream(list).await?;
    let scene = scene(&server, &["US"]).await?;
    let cache = scene.server().await?;
    for runs in 1..=2 {
        cache.api.start().await?;
        let done = cache.api.status_where("every product", |status| {
            status.state == "COMPLETED" && prices_asked_for(&server) == runs * 4
        });
        let done = done.await?;
        ensure!(done.completed() == 4 && done.total() == 4 && done.failed() == 0, "{:#}", done.json);
        run.store(runs, Ordering::Relaxed);
    }
    ensure!(cache.api.prices("US").await?.len() == 4, "one entry each");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_sells_nothing_is_walked_at_once() -> anyhow::Result<()> {
    let server = upstream(|_| EMPTY.to_owned()).await?;
    let scene = scene(&server, &["US", "DE"]).await?;
    let cache = scene.server().await?;
    cache.api.start().await?;
    let done = cache.api.state("COMPLETED").await?;
    ensure!(done.total() == 0 && done.markets.len() == 2, "{:#}", done.json);
    ensure!(scene.stderr().contains("the market has no products"), "the operator is told");
    Ok(())
}
