//! `GET /api/cache/prices/errors`: the failed products of the run, a page at a time.

use axum::Json;
use axum::extract::State;
use price_cache_api_types as api;
use price_cache_domain::{MarketId, ProductId};
use price_cache_engine::FailedProductsCursor;

use crate::documents::failed_product;
use crate::problem::Problem;
use crate::request::Parameters;
use crate::router::App;

/// Failed products in an answer unless asked for more.
const LIMIT_DEFAULT: usize = 100;
/// Failed products in an answer at most.
const LIMIT_MAX: usize = 1_000;
/// Between the market and the product of a cursor; no id contains it, and neither has to be escaped.
const CURSOR_SEPARATOR: char = '\u{1f}';

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<api::FailedProductsPage>, Problem> {
    let parameters = parameters.only(&["market", "class", "after", "limit"])?;
    let market = parameters.parsed("market", |text| MarketId::new(text))?;
    let class = parameters.parsed("class", str::parse)?;
    let after = parameters.parsed("after", parse_cursor)?;
    let limit = parameters.count("limit", LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);

    let snapshot = app.engine.snapshot();
    if let Some(market) = &market
        && !snapshot.markets.iter().any(|known| known.market == *market)
    {
        return Err(Problem::not_found(format!("the run has no market {market:?}")));
    }
    let Some(facts) = snapshot.run.facts() else {
        return Ok(Json(api::FailedProductsPage { errors: Vec::new(), next: None }));
    };
    // Markets without failures need not be read.
    let failing: Vec<MarketId> = snapshot
        .markets
        .iter()
        .filter(|known| known.progress.failed() > 0)
        .map(|known| known.market.clone())
        .filter(|known| market.as_ref().is_none_or(|market| market == known))
        .collect();
    let failed =
        app.engine.reader().failed_products(facts.id(), &failing, class, after.as_ref(), limit).await?;
    let next = failed
        .last()
        .filter(|_| failed.len() == limit)
        .map(|last| format!("{}{CURSOR_SEPARATOR}{}", last.market, last.product));
    Ok(Json(api::FailedProductsPage { errors: failed.iter().filter_map(failed_product).collect(), next }))
}

fn parse_cursor(text: &str) -> Result<FailedProductsCursor, String> {
    let parts = text.split_once(CURSOR_SEPARATOR);
    let parsed = parts.and_then(|(market, product)| {
        Some(FailedProductsCursor {
            market: MarketId::new(market).ok()?,
            product: ProductId::new(product).ok()?,
        })
    });
    parsed.ok_or_else(|| "is not the `next` of an earlier answer".to_owned())
}
