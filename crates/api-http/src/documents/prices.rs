//! Cached prices and failed products.

use std::time::Duration;

use price_cache_api_types as api;
use price_cache_domain::{Entry, MarketId, ProductId, Timestamp};
use price_cache_engine::{FailedProduct, MarketPrices};

use super::rfc3339;

/// The cached price of a pair, as of `now`. Stale is what is older than `stale_after`, and what the
/// latest fetch could not confirm.
pub(crate) fn price_entry(
    market: &MarketId,
    product: &ProductId,
    entry: &Entry,
    stale_after: Duration,
    now: Timestamp,
) -> api::PriceEntry {
    let cached = entry.price.as_ref();
    let age = cached.map(|cached| now.since(cached.fetched_at));
    let failure = entry.outcome.attempts.failure();
    api::PriceEntry {
        market_id: market.as_str().to_owned(),
        product_id: product.as_str().to_owned(),
        price: cached.map(|cached| api::Price {
            amount: cached.price.amount.as_str().to_owned(),
            currency: cached.price.currency.code().to_owned(),
        }),
        fetched_at: cached.map(|cached| rfc3339(cached.fetched_at)),
        age_seconds: age.map(|age| age.as_secs()),
        run_id: Some(cached.map_or(entry.outcome.run, |cached| cached.run).to_string()),
        stale: failure.is_some() || age.is_none_or(|age| age > stale_after),
        last_error: failure.map(|failure| api::LastError {
            class: failure.class().name().to_owned(),
            message: failure.message().to_owned(),
            at: rfc3339(entry.outcome.attempts.ended_at()),
        }),
    }
}

/// What the cache holds of a market.
pub(crate) fn market_prices(market: &MarketPrices) -> api::MarketPrices {
    api::MarketPrices {
        market_id: market.market.as_str().to_owned(),
        products: market.prices + market.without_price,
        prices: market.prices,
        oldest_fetched_at: market.oldest.map(rfc3339),
        newest_fetched_at: market.newest.map(rfc3339),
    }
}

/// A failed product of the run; `None` for one that did not fail.
pub(crate) fn failed_product(failed: &FailedProduct) -> Option<api::FailedProduct> {
    let attempts = &failed.outcome.attempts;
    let failure = attempts.failure()?;
    Some(api::FailedProduct {
        market: failed.market.as_str().to_owned(),
        product: failed.product.as_str().to_owned(),
        class: failure.class().name().to_owned(),
        message: failure.message().to_owned(),
        attempts: u64::from(attempts.requests()),
        last_status_code: attempts.kept().last().and_then(|attempt| attempt.status_code),
        at: rfc3339(attempts.ended_at()),
    })
}
