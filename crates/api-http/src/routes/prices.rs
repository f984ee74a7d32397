//! `GET /api/prices` and `GET /api/prices/{market}`: what the cache holds.

use axum::Json;
use axum::extract::State;
use price_cache_api_types as api;
use price_cache_domain::ProductId;

use crate::app::App;
use crate::documents::{market_prices, price_entry};
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::request::{MarketInPath, Parameters};

/// Entries on a page unless asked for more.
const LIMIT_DEFAULT: usize = 100;
/// Entries on a page at most.
const LIMIT_MAX: usize = 1_000;

pub(super) fn listing() -> Endpoint {
    Endpoint::get("/api/prices", markets, ("listMarkets", Tag::Prices, "The markets that hold prices"))
        .answer::<api::Markets>(200, "Each with its counts, its oldest and its newest price.")
}

pub(super) fn of_market() -> Endpoint {
    let path = "/api/prices/{market}";
    Endpoint::get(path, market, ("listPrices", Tag::Prices, "The prices of a market, a page at a time"))
        .described("In the order of the product ids.")
        .parameter(Parameter::segment("market", "The market, percent-encoded.", "uk"))
        .parameter(Parameter::id("after", "The `next` of the page before, or any product id."))
        .parameter(Parameter::count("limit", LIMIT_MAX, Some(LIMIT_DEFAULT), "Prices on the page at most."))
        .answer::<api::PricePage>(200, "A page of prices.")
        .problem(404, "Nothing is cached for this market.")
}

pub(crate) async fn markets(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<api::Markets>, Problem> {
    parameters.only(&[])?;
    let markets = app.engine.reader().markets().await?;
    Ok(Json(api::Markets { markets: markets.iter().map(market_prices).collect() }))
}

pub(crate) async fn market(
    State(app): State<App>,
    MarketInPath(market): MarketInPath,
    parameters: Parameters,
) -> Result<Json<api::PricePage>, Problem> {
    let parameters = parameters.only(&["after", "limit"])?;
    let after = parameters.parsed("after", |text| ProductId::new(text))?;
    let limit = parameters.count("limit", LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    // One more than asked for tells whether there are more.
    let mut entries = app.engine.reader().entries(&market, after.as_ref(), limit + 1).await?;
    if entries.is_empty() && !app.engine.reader().has_market(&market).await? {
        return Err(Problem::not_found(format!("nothing is cached for market {market:?}")));
    }
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| has_more).map(|(product, _)| product.as_str().to_owned());
    let (stale_after, now) = (app.options.stale_after, app.engine.now());
    Ok(Json(api::PricePage {
        market_id: market.as_str().to_owned(),
        prices: entries
            .iter()
            .map(|(product, entry)| price_entry(&market, product, entry, stale_after, now))
            .collect(),
        next,
    }))
}
