//! The products that failed in the last run, a page at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OrderedMap, Timestamp};

/// The answer of `GET /api/cache/prices/errors`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedProductsPage {
    /// The failed products of this page.
    pub errors: Vec<FailedProduct>,
    /// Give this as `after` for the next page; null on the last one.
    pub next: Option<String>,
    /// How many failed products of each class there are on all pages together; classes without any are left out.
    /// It follows the market that was asked for, not the class.
    #[serde(default)]
    pub classes: OrderedMap<u64>,
}

/// One product that ended without a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedProduct {
    /// The market.
    pub market: String,
    /// The product.
    pub product: String,
    /// The class of the last failure (`timeout`, `rate_limited`, `not_found`, ...).
    pub class: String,
    /// What went wrong in the last attempt, as a sentence, with secrets masked.
    pub message: String,
    /// How many requests were made for this product.
    pub attempts: u64,
    /// The HTTP status code of the last attempt; null when no answer came.
    pub last_status_code: Option<u16>,
    /// When the product was given up.
    #[schemars(extend("format" = "date-time"))]
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::FailedProductsPage;

    #[test]
    fn names_types_and_nulls_are_the_contract() {
        let text = r#"{"errors":[{"market":"uk","product":"a/b ","class":"server_error","message":"the server answered 503","attempts":4,"last_status_code":503,"at":"2026-11-23T10:00:00Z"},{"market":"uk","product":"c","class":"timeout","message":"no answer within 10 s","attempts":4,"last_status_code":null,"at":"2026-11-23T10:00:01Z"}],"next":null,"classes":{"timeout":1,"server_error":1}}"#;
        let page: FailedProductsPage = serde_json::from_str(text).unwrap();
        assert_eq!(page.errors.len(), 2);
        assert_eq!(serde_json::to_string(&page).unwrap(), text);
    }
}
