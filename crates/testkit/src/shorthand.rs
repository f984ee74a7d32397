//! Short ways to write ids and prices in tests. They panic on what is not one.

use price_cache_domain::{Amount, Currency, Fetched, MarketId, Price, ProductId, Quote};

/// A market id.
#[track_caller]
pub fn market(text: &str) -> MarketId {
    MarketId::new(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A product id.
#[track_caller]
pub fn product(text: &str) -> ProductId {
    ProductId::new(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A price such as `price("19.99", "EUR")`.
#[track_caller]
pub fn price(amount: &str, currency: &str) -> Price {
    Price {
        amount: Amount::parse(amount).unwrap_or_else(|error| panic!("{error}")),
        currency: Currency::parse(currency).unwrap_or_else(|error| panic!("{error}")),
    }
}

/// The answer of a source that gives a price and no validator.
#[track_caller]
pub fn quote(amount: &str, currency: &str) -> Fetched {
    Fetched::Price(Quote { price: price(amount, currency), etag: None })
}
