//! `plan`: how many products each market has and how long a run may take, without fetching a price.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use price_cache_cli::render::number;
use price_cache_cli::render::table::{Cell, Table, left, right};
use price_cache_cli::{Exit, Streams};
use price_cache_domain::{MarketId, PriceSource, ProductLists};
use price_cache_source_http::HttpPriceSource;

use super::loaded;
use crate::wiring;

/// Executes it.
pub async fn execute(config: &Path, streams: &mut Streams) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let source = wiring::open_source(&loaded)?;
    let run = &loaded.configuration.run;
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    let mut markets = source.markets().await.context("could not list the markets")?;
    markets.retain(|market| seen.insert(market.clone()));
    if markets.is_empty() {
        bail!("the market list is empty; check source.markets");
    }
    let shared = source.product_lists() == ProductLists::Shared;
    let mut table = Table::new(&[left("MARKET"), right("PRODUCTS")]);
    let (mut total, mut largest, mut first) = (0, 0, None);
    for market in &markets {
        let count = match first {
            Some(count) if shared => count,
            _ => listing.count(&source, market).await?,
        };
        first.get_or_insert(count);
        total += count;
        largest = largest.max(count);
        table.row([Cell::from(market.as_str()), Cell::from(number::count(count))]);
    }
    streams.data(&table.render(streams.data_theme()))?;

    let lanes = run.parallel_markets.get() as u64;
    // The longest lane: the markets shared out evenly, and no less than the largest market.
    let in_a_row = total.div_ceil(lanes).max(largest);
    let options = run.options();
    let of_market = (listing.mean() + options.delay_between_requests).max(options.pacing.market_interval_min);
    // No lane is faster than its share of what all of them may send.
    let pace = of_market.max(options.pacing.upstream_interval_min * run.parallel_markets.get() as u32);
    streams.human(&format!(
        "{} of {}: {} at least, {} with every product tried {} times",
        number::counted(total, "product"),
        number::counted(markets.len() as u64, "market"),
        number::counted(total, "request"),
        number::count(total.saturating_mul(u64::from(run.retry.attempts_max.get()))),
        run.retry.attempts_max,
    ));
    streams.human(&format!(
        "about {} if a price takes as long as a listing request did ({:.0} ms), with {} at a time",
        number::duration(pace.as_secs_f64() * in_a_row as f64),
        listing.mean().as_secs_f64() * 1_000.0,
        number::counted(lanes.min(markets.len() as u64), "market"),
    ));
    Ok(Exit::Done)
}

/// Lists products and measures how long a request takes.
#[derive(Default)]
struct Listing {
    requests: u32,
    took: Duration,
}

impl Listing {
    async fn count(&mut self, source: &HttpPriceSource, market: &MarketId) -> anyhow::Result<u64> {
        let mut products = HashSet::new();
        let mut cursor = None;
        loop {
            let begun = Instant::now();
            let page = source
                .products(market, cursor.as_ref())
                .await
                .with_context(|| format!("could not list the products of market {market:?}"))?;
            self.took += begun.elapsed();
            self.requests += 1;
            products.extend(page.products);
            match page.next {
                Some(next) if cursor.as_ref() == Some(&next) => {
                    bail!("the products of market {market:?} have no end; check source.products.pagination")
                }
                Some(next) => cursor = Some(next),
                None => return Ok(products.len() as u64),
            }
        }
    }

    fn mean(&self) -> Duration {
        self.took.checked_div(self.requests).unwrap_or_default()
    }
}
