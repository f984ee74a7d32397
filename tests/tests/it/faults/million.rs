//! A list of a million products in one market: it can be stopped, it ends, and memory stays bounded.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use price_cache_simulator::raw::{Asked, RawServer, Reply, Then, ok};
use price_cache_tests::{Scene, Server, Settings, Usage, eventually};

/// `PRICE_CACHE_LIST_PRODUCTS` makes the list longer or shorter.
const PRODUCTS: usize = 1_000_000;
const PAGE_PRODUCTS: usize = 10_000;

/// 8 bytes a product while they are listed, the pages of the store's cache, and one page of the list.
const MEMORY_GROWTH_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// A stop is promised within 250 ms; a busy machine gets four times that.
const STOP_TIME_MAX: Duration = Duration::from_secs(1);
/// How long the listing may take on a machine that does much else.
const LISTING_TIME_MAX: Duration = Duration::from_secs(120);

fn products() -> anyhow::Result<usize> {
    match std::env::var("PRICE_CACHE_LIST_PRODUCTS") {
        Ok(text) => text.parse().context("PRICE_CACHE_LIST_PRODUCTS is no number"),
        Err(_) => Ok(PRODUCTS),
    }
}

/// A page of ids; prices never come, and in the middle of the list one page does not either, the first time.
fn reply(asked: &Asked, pages: usize) -> Reply {
    let Some((_, page)) = asked.target().split_once("?page=") else { return Reply(Vec::new(), Then::Hang) };
    let page: usize = page.parse().unwrap_or(usize::MAX);
    if page == pages / 2 && asked.earlier_for_target == 0 {
        return Reply(Vec::new(), Then::Hang);
    }
    let mut body = String::from("[");
    if page <= pages {
        for number in (page - 1) * PAGE_PRODUCTS..page * PAGE_PRODUCTS {
            let _ = write!(body, "\"p{number:07}\",");
        }
        body.pop();
    }
    body.push(']');
    ok(body)
}

async fn stops(server: &Server) -> anyhow::Result<()> {
    let begun = Instant::now();
    let answer = server.api.command("stop").await?;
    ensure!(answer.status == 202, "{answer:?}");
    server.api.state("PAUSED").await?;
    let took = begun.elapsed();
    ensure!(took < STOP_TIME_MAX, "the stop took {took:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the figures are of interest")]
async fn a_list_of_a_million_can_be_stopped_and_comes_to_its_end_in_bounded_memory() -> anyhow::Result<()> {
    let products = products()?;
    let pages = products / PAGE_PRODUCTS;
    let upstream = RawServer::start(move |asked| reply(asked, pages)).await?;
    let source = format!(
        "[source]\nbase_url = \"{}\"\nmarkets.list = [\"US\"]\n\
         [source.products]\nurl = \"/products\"\nitems = \"$\"\npagination = {{ style = \"page\" }}\n\
         [source.price]\nurl = \"/price/{{product}}\"\namount = \"$.amount\"\ncurrency = \"EUR\"\n",
        upstream.base_url
    );
    let scene = Scene::new(&source, &Settings::default())?;
    let server = scene.server().await?;
    let before = Usage::of(server.id()?)?.memory_peak_bytes;

    server.api.start().await?;
    let middle = format!("/products?page={}", pages / 2);
    let asked = |target: &str| upstream.calls().iter().any(|call| call.target() == target);
    eventually("the middle of the list", LISTING_TIME_MAX, async || Ok(asked(&middle).then_some(()))).await?;
    stops(&server).await?;

    server.api.start().await?;
    let first_price = "/price/p0000000";
    eventually("the first price", LISTING_TIME_MAX, async || Ok(asked(first_price).then_some(()))).await?;
    let status = server.api.status().await?;
    ensure!(
        status.state == "PROCESSING" && status.total() == (pages * PAGE_PRODUCTS) as u64,
        "{:#}",
        status.json
    );
    stops(&server).await?;

    let growth = Usage::of(server.id()?)?.memory_peak_bytes.saturating_sub(before);
    ensure!(growth < MEMORY_GROWTH_BYTES_MAX, "the server grew by {growth} bytes");
    ensure!(upstream.two_at_once(|_| String::new()).is_none(), "two requests at once");
    let seconds = Usage::of(server.id()?)?.cpu_seconds;
    println!(
        "{products} products listed one and a half times in {seconds} s of a processor, {growth} bytes more"
    );
    ensure!(server.terminate().await? == Some(0), "a server ends well");
    Ok(())
}
