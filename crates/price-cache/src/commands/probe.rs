//! `probe`: asks for one live price of every market and shows what was asked, what came back and what
//! was understood.

use std::fmt;
use std::path::Path;

use anyhow::{Context, bail};
use price_cache_api_types as api;
use price_cache_cli::arguments::ProbeArguments;
use price_cache_cli::render::text::clean;
use price_cache_cli::{Exit, Streams};
use price_cache_domain::{Fetched, MarketId, PriceSource};
use price_cache_source_http::{Exchange, HttpPriceSource};
use serde::Serialize;

use super::loaded;
use crate::wiring;

/// Executes it. Fails when any market's price was not understood.
pub async fn execute(
    config: &Path,
    arguments: &ProbeArguments,
    streams: &mut Streams,
) -> anyhow::Result<Exit> {
    let source = wiring::open_source(&loaded(config)?)?;
    let mut markets = source.markets().await.context("could not list the markets")?;
    streams.human(&format!("{} markets", markets.len()));
    if let Some(wanted) = &arguments.market {
        markets.retain(|market| market.as_str() == wanted);
    }
    if markets.is_empty() {
        match &arguments.market {
            Some(wanted) => bail!("the source has no market {wanted:?}"),
            None => bail!("the market list is empty; check source.markets"),
        }
    }
    let mut failed = 0;
    for market in &markets {
        let probed = Probed::of(&source, market).await;
        failed += usize::from(probed.failure.is_some());
        let shown =
            if arguments.json { serde_json::to_string(&probed.document())? } else { probed.to_string() };
        streams.data(&shown)?;
    }
    if failed > 0 {
        streams.human(&format!("{failed} of {} markets gave no price", markets.len()));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// How far the probe of a market came.
struct Probed<'a> {
    market: &'a MarketId,
    /// Products on the first page, and whether more follow.
    listed: Option<(usize, bool)>,
    exchange: Option<Exchange>,
    failure: Option<ProbeFailure>,
}

/// Why a market gave no price.
struct ProbeFailure {
    step: &'static str,
    reason: String,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    market_id: &'a str,
    products_on_first_page: Option<usize>,
    more_pages: Option<bool>,
    method: Option<&'a str>,
    url: Option<&'a str>,
    request_headers: &'a [(String, String)],
    request_body: Option<&'a str>,
    status_code: Option<u16>,
    duration_ms: Option<u64>,
    response_headers: &'a [(String, String)],
    body_start: Option<&'a str>,
    price: Option<api::Price>,
    /// Why there is no price: the step, and what went wrong.
    error: Option<String>,
}

impl<'a> Probed<'a> {
    async fn of(source: &HttpPriceSource, market: &'a MarketId) -> Self {
        let mut probed = Self { market, listed: None, exchange: None, failure: None };
        probed.failure = probed.steps(source).await.err();
        probed
    }

    async fn steps(&mut self, source: &HttpPriceSource) -> Result<(), ProbeFailure> {
        let failed = |step, reason| ProbeFailure { step, reason };
        let page = source
            .products(self.market, None)
            .await
            .map_err(|fault| failed("products", format!("not listed: {fault}")))?;
        self.listed = Some((page.products.len(), page.next.is_some()));
        let product = page.products.first().ok_or_else(|| failed("products", "none".to_owned()))?;
        source
            .purge(self.market, product)
            .await
            .map_err(|fault| failed("purge", format!("failed: {fault}")))?;
        let exchange = self.exchange.insert(source.probe(self.market, product).await);
        match &exchange.understood {
            Ok(_) => Ok(()),
            Err(fault) => Err(failed("understood", format!("nothing: {fault}"))),
        }
    }

    fn document(&self) -> Document<'_> {
        let exchange = self.exchange.as_ref();
        Document {
            market_id: self.market.as_str(),
            products_on_first_page: self.listed.map(|(products, _)| products),
            more_pages: self.listed.map(|(_, more)| more),
            method: exchange.map(|exchange| exchange.method.as_str()),
            url: exchange.map(|exchange| exchange.url.as_str()),
            request_headers: exchange.map_or(&[], |exchange| &exchange.request_headers),
            request_body: exchange.and_then(|exchange| exchange.request_body.as_deref()),
            status_code: exchange.and_then(|exchange| exchange.status),
            duration_ms: exchange
                .map(|exchange| u64::try_from(exchange.duration.as_millis()).unwrap_or(u64::MAX)),
            response_headers: exchange.map_or(&[], |exchange| &exchange.response_headers),
            body_start: exchange.map(|exchange| exchange.body_start.as_str()),
            price: exchange.and_then(|exchange| match &exchange.understood {
                Ok(Fetched::Price(quote)) => Some(api::Price {
                    amount: quote.price.amount.as_str().to_owned(),
                    currency: quote.price.currency.code().to_owned(),
                }),
                Ok(Fetched::NotModified) | Err(_) => None,
            }),
            error: self.failure.as_ref().map(|failure| format!("{}: {}", failure.step, failure.reason)),
        }
    }
}

impl fmt::Display for Probed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "market {:?}", self.market)?;
        let mut line =
            |name: &str, value: &str| writeln!(formatter, "{}", clean(&format!("  {name:<11} {value}")));
        if let Some((products, more)) = self.listed.filter(|(products, _)| *products > 0) {
            let more = if more { ", more follow" } else { "" };
            line("products", &format!("{products} on the first page{more}"))?;
        }
        if let Some(exchange) = &self.exchange {
            line("asked", &format!("{} {}", exchange.method, exchange.url))?;
            for (name, value) in &exchange.request_headers {
                line("", &format!("{name}: {value}"))?;
            }
            exchange.request_body.as_ref().map_or(Ok(()), |body| line("", body))?;
            let status =
                exchange.status.map_or_else(|| "nothing".to_owned(), |status| format!("status {status}"));
            line("came back", &format!("{status} after {} ms", exchange.duration.as_millis()))?;
            for (name, value) in &exchange.response_headers {
                line("", &format!("{name}: {value}"))?;
            }
            if !exchange.body_start.is_empty() {
                line("", &exchange.body_start)?;
            }
            match &exchange.understood {
                Ok(Fetched::Price(quote)) => line("understood", &quote.price.to_string())?,
                Ok(Fetched::NotModified) => line("understood", "not modified")?,
                // Told below.
                Err(_) => {}
            }
        }
        self.failure.as_ref().map_or(Ok(()), |failure| line(failure.step, &failure.reason))
    }
}
