//! `plan`: how many products each market has and how long a run may take, without fetching a price.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use price_cache_cli::arguments::PlanArguments;
use price_cache_cli::render::number;
use price_cache_cli::render::table::{Cell, Table, left, right};
use price_cache_cli::{Exit, Streams};
use price_cache_domain::{MarketId, PriceSource, ProductLists};
use price_cache_source_http::HttpPriceSource;
use serde::Serialize;

use super::loaded;
use crate::configuration::RunConfig;
use crate::wiring;

/// What `--json` prints.
#[derive(Serialize)]
struct Plan {
    markets: Vec<Market>,
    products: u64,
    parallel_markets: u64,
    /// With the first attempt of every product.
    requests_min: u64,
    /// With every product tried as often as it may be.
    requests_max: u64,
    attempts_max: u32,
    /// What a listing request took on average, which a price is taken to take as well.
    request_ms: f64,
    estimated_seconds: f64,
}

#[derive(Serialize)]
struct Market {
    market_id: String,
    products: u64,
}

/// Executes it.
pub async fn execute(
    config: &Path,
    arguments: &PlanArguments,
    streams: &mut Streams,
) -> anyhow::Result<Exit> {
    let loaded = loaded(config)?;
    let source = wiring::open_source(&loaded)?;
    let plan = Plan::of(&source, &loaded.configuration.run).await?;
    if arguments.json {
        streams.data(&serde_json::to_string_pretty(&plan)?)?;
    } else {
        plan.tell(streams)?;
    }
    Ok(Exit::Done)
}

impl Plan {
    async fn of(source: &HttpPriceSource, run: &RunConfig) -> anyhow::Result<Self> {
        let mut listing = Listing::default();
        let mut seen = HashSet::new();
        let mut listed = source.markets().await.context("could not list the markets")?;
        listed.retain(|market| seen.insert(market.clone()));
        if listed.is_empty() {
            bail!("the market list is empty; check source.markets");
        }
        let shared = source.product_lists() == ProductLists::Shared;
        let mut markets: Vec<Market> = Vec::with_capacity(listed.len());
        for market in &listed {
            let products = match markets.first() {
                Some(first) if shared => first.products,
                _ => listing.count(source, market).await?,
            };
            markets.push(Market { market_id: market.as_str().to_owned(), products });
        }
        let products = markets.iter().map(|market| market.products).sum::<u64>();
        let largest = markets.iter().map(|market| market.products).max().unwrap_or_default();
        let lanes = run.parallel_markets.get() as u64;
        // The longest lane: the markets shared out evenly, and no less than the largest market.
        let in_a_row = products.div_ceil(lanes).max(largest);
        let options = run.options();
        let of_market =
            (listing.mean() + options.delay_between_requests).max(options.pacing.market_interval_min);
        // No lane is faster than its share of what all of them may send.
        let pace = of_market.max(options.pacing.upstream_interval_min * run.parallel_markets.get() as u32);
        let attempts_max = run.retry.attempts_max.get();
        Ok(Self {
            parallel_markets: lanes.min(markets.len() as u64),
            markets,
            products,
            requests_min: products,
            requests_max: products.saturating_mul(u64::from(attempts_max)),
            attempts_max,
            request_ms: listing.mean().as_secs_f64() * 1_000.0,
            estimated_seconds: pace.as_secs_f64() * in_a_row as f64,
        })
    }

    fn tell(&self, streams: &mut Streams) -> anyhow::Result<()> {
        let mut table = Table::new(&[left("MARKET"), right("PRODUCTS")]);
        for market in &self.markets {
            table.row([Cell::from(market.market_id.as_str()), Cell::from(number::count(market.products))]);
        }
        streams.data(&table.render(streams.data_theme()))?;
        streams.human(&format!(
            "{} of {}: {} at least, {} with every product tried {} times",
            number::counted(self.products, "product"),
            number::counted(self.markets.len() as u64, "market"),
            number::counted(self.requests_min, "request"),
            number::count(self.requests_max),
            self.attempts_max,
        ));
        streams.human(&format!(
            "about {} if a price takes as long as a listing request did ({:.0} ms), with {} at a time",
            number::duration(self.estimated_seconds),
            self.request_ms,
            number::counted(self.parallel_markets, "market"),
        ));
        Ok(())
    }
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
