//! Short ways to a source, an id, a price.

use price_cache_domain::{FailureClass, Fault, Fetched, MarketId, PriceSource, ProductId};
use price_cache_source_http::{HttpPriceSource, SourceConfig};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct File {
    pub(crate) source: SourceConfig,
}

pub(crate) fn config(text: &str) -> SourceConfig {
    toml::from_str::<File>(text).unwrap_or_else(|error| panic!("{error}")).source
}

/// A source of one market `US` and one product `p`; `price` is added to `[source.price]` and may begin other sections.
pub(crate) fn plain(base_url: &str, price: &str) -> SourceConfig {
    config(&format!(
        r#"
        [source]
        base_url = "{base_url}"
        markets.list = ["US"]
        products.list = ["p"]
        [source.price]
        url = "/p/{{product}}"
        amount = "$.amount"
        currency = "$.currency"
        {price}
        "#
    ))
}

pub(crate) fn source(config: &SourceConfig) -> HttpPriceSource {
    HttpPriceSource::new(config, &environment).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn environment(name: &str) -> Option<String> {
    (name == "SHOP_API_KEY").then(|| "sk/secret+42".to_owned())
}

pub(crate) fn market(id: &str) -> MarketId {
    MarketId::new(id).unwrap()
}

pub(crate) fn product(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

pub(crate) async fn fetch(source: &HttpPriceSource) -> Result<Fetched, Fault> {
    source.price(&market("US"), &product("p"), None).await
}

/// The price as text, such as `19.90 EUR`.
pub(crate) async fn price(
    source: &HttpPriceSource,
    market_id: &str,
    product_id: &str,
) -> Result<String, Fault> {
    match source.price(&market(market_id), &product(product_id), None).await? {
        Fetched::Price(quote) => Ok(quote.price.to_string()),
        Fetched::NotModified => panic!("not modified, though nothing was sent"),
    }
}

/// Checks a fault's class and a part of its message, and what holds of all messages.
#[track_caller]
pub(crate) fn assert_fault<T: std::fmt::Debug>(
    result: Result<T, Fault>,
    class: FailureClass,
    part: &str,
) -> Fault {
    let fault = result.unwrap_err();
    let message = fault.failure.message();
    assert_eq!(fault.failure.class(), class, "{message}");
    assert!(message.contains(part), "{message:?} does not say {part:?}");
    assert!(message.len() <= 300 && !message.contains("secret"), "{message}");
    fault
}

/// All product ids of a market over all pages, and the number of pages.
pub(crate) async fn all_products(
    source: &HttpPriceSource,
    market_id: &str,
) -> Result<(Vec<String>, usize), Fault> {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = source.products(&market(market_id), cursor.as_ref()).await?;
        ids.extend(page.products.iter().map(ToString::to_string));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            return Ok((ids, pages));
        }
    }
}
