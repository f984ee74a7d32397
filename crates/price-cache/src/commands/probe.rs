//! `probe`: asks for one live price of every market and shows what was asked, what came back and what
//! was understood.

use std::path::Path;

use anyhow::{Context, bail};
use price_cache_cli::arguments::ProbeArguments;
use price_cache_cli::render::text::clean;
use price_cache_cli::{Exit, Streams};
use price_cache_domain::{Fetched, MarketId, PriceSource};
use price_cache_source_http::{Exchange, HttpPriceSource};

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
        match probe(&source, market).await {
            Ok(shown) => streams.data(&shown)?,
            Err(shown) => {
                failed += 1;
                streams.data(&shown)?;
            }
        }
    }
    if failed > 0 {
        streams.human(&format!("{failed} of {} markets gave no price", markets.len()));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// Either way the text to show.
async fn probe(source: &HttpPriceSource, market: &MarketId) -> Result<String, String> {
    let title = format!("market {market:?}\n");
    let page = source
        .products(market, None)
        .await
        .map_err(|fault| format!("{title}  products    not listed: {fault}\n"))?;
    let Some(product) = page.products.first() else {
        return Err(format!("{title}  products    none\n"));
    };
    let more = if page.next.is_some() { ", more follow" } else { "" };
    let listed = format!("{title}  products    {} on the first page{more}\n", page.products.len());
    if let Err(fault) = source.purge(market, product).await {
        return Err(format!("{listed}  purge       failed: {fault}\n"));
    }
    let exchange = source.probe(market, product).await;
    let shown = format!("{listed}{}", describe(&exchange));
    if exchange.understood.is_ok() { Ok(shown) } else { Err(shown) }
}

fn describe(exchange: &Exchange) -> String {
    let mut lines = vec![format!("  asked       {} {}", exchange.method, exchange.url)];
    let headers = |headers: &[(String, String)]| -> Vec<String> {
        headers.iter().map(|(name, value)| format!("              {name}: {value}")).collect()
    };
    lines.extend(headers(&exchange.request_headers));
    lines.extend(exchange.request_body.iter().map(|body| format!("              {body}")));
    let status = exchange.status.map_or_else(|| "nothing".to_owned(), |status| format!("status {status}"));
    lines.push(format!("  came back   {status} after {} ms", exchange.duration.as_millis()));
    lines.extend(headers(&exchange.response_headers));
    if !exchange.body_start.is_empty() {
        lines.push(format!("              {}", exchange.body_start));
    }
    lines.push(match &exchange.understood {
        Ok(Fetched::Price(quote)) => format!("  understood  {}", quote.price),
        Ok(Fetched::NotModified) => "  understood  not modified".to_owned(),
        Err(fault) => format!("  understood  nothing: {fault}"),
    });
    let lines: Vec<_> = lines.iter().map(|line| clean(line).into_owned()).collect();
    format!("{}\n", lines.join("\n"))
}
