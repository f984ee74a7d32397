//! The cached prices: one entry, a page of a market, and the list of markets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What the cache holds for one pair: the answer of `GET /api/prices/{market}/{product}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceEntry {
    /// The market.
    pub market_id: String,
    /// The product.
    pub product_id: String,
    /// The last good price; null when no fetch has brought one.
    pub price: Option<Price>,
    /// When that price was fetched; null without a price.
    #[schemars(extend("format" = "date-time"))]
    pub fetched_at: Option<Timestamp>,
    /// How old the price is, in whole seconds; null without a price.
    pub age_seconds: Option<u64>,
    /// The run that fetched the price, or without a price the run that failed to.
    pub run_id: Option<String>,
    /// Whether the price is missing, older than configured, or its latest fetch failed.
    pub stale: bool,
    /// Why the latest fetch failed; left out when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
}

/// An amount with the digits it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Decimal digits, exactly as the upstream gave them: `0.024000` stays `0.024000`.
    pub amount: String,
    /// The ISO 4217 code, for example `EUR`.
    pub currency: String,
}

/// Why the latest fetch of a pair failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastError {
    /// The class of the failure (`timeout`, `rate_limited`, `not_found`, ...).
    pub class: String,
    /// What went wrong, as a sentence, with secrets masked.
    pub message: String,
    /// When.
    #[schemars(extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// The answer of `GET /api/prices/{market}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PricePage {
    /// The market.
    pub market_id: String,
    /// The entries of this page, in the order of their product ids.
    pub prices: Vec<PriceEntry>,
    /// Give this as `after` for the next page; null on the last one.
    pub next: Option<String>,
}

/// The answer of `GET /api/prices`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Markets {
    /// The markets that hold entries.
    pub markets: Vec<MarketPrices>,
}

/// What the cache holds of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MarketPrices {
    /// The market.
    pub market_id: String,
    /// Products with an entry, with or without a price.
    pub products: u64,
    /// Products with a price.
    pub prices: u64,
    /// When the oldest price was fetched; null without prices.
    #[schemars(extend("format" = "date-time"))]
    pub oldest_fetched_at: Option<Timestamp>,
    /// When the newest price was fetched; null without prices.
    #[schemars(extend("format" = "date-time"))]
    pub newest_fetched_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Markets, PricePage};

    #[test]
    fn an_entry_with_and_without_a_price() {
        let text = r#"{"market_id":"uk","prices":[{"market_id":"uk","product_id":"Standard_B2s  ","price":{"amount":"0.024000","currency":"GBP"},"fetched_at":"2026-11-23T10:00:00Z","age_seconds":5,"run_id":"r1","stale":false},{"market_id":"uk","product_id":"x","price":null,"fetched_at":null,"age_seconds":null,"run_id":"r1","stale":true,"last_error":{"class":"timeout","message":"no answer within 10 s","at":"2026-11-23T10:00:01Z"}}],"next":"eA"}"#;
        let page: PricePage = serde_json::from_str(text).unwrap();
        assert_eq!(page.prices.first().unwrap().product_id, "Standard_B2s  ");
        assert_eq!(serde_json::to_string(&page).unwrap(), text);
    }

    #[test]
    fn markets_with_counts() {
        let text = r#"{"markets":[{"market_id":"uk","products":3,"prices":2,"oldest_fetched_at":"2026-11-23T10:00:00Z","newest_fetched_at":"2026-11-23T10:00:02Z"},{"market_id":"at","products":1,"prices":0,"oldest_fetched_at":null,"newest_fetched_at":null}]}"#;
        let markets: Markets = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&markets).unwrap(), text);
    }
}
