//! What `[source]` in a configuration file may say, as it is written there.

mod limits;
mod lists;
mod pagination;
mod price;
mod span;
mod values;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use limits::{DEPTH_MAX, LimitsConfig};
pub use lists::{MarketsConfig, ProductsConfig};
pub use pagination::PaginationConfig;
pub use price::{AmountForm, PriceConfig, PurgeConfig};
pub use span::{InvalidSpan, Span};
pub use values::{ConditionConfig, CurrencyConfig, HeadersConfig, Method, Scalar};

/// The section `[source]`: a pricing API over HTTP with answers in JSON.
///
/// `${NAME}` in headers, URLs and bodies stands for that environment variable. What comes from the
/// environment is taken for a secret and shown as `***` everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The URL that paths in the other sections are appended to, such as `https://api.shop.example/v2`.
    pub base_url: String,
    /// Headers of every request to the origin of `base_url`.
    #[serde(default)]
    pub headers: HeadersConfig,
    /// Where the markets come from.
    pub markets: MarketsConfig,
    /// Where each market's products come from.
    pub products: ProductsConfig,
    /// How to ask for one price.
    pub price: PriceConfig,
    /// What to ask before a product's first price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge: Option<PurgeConfig>,
    /// How long to wait, how much to read, how far to follow.
    #[serde(default)]
    pub limits: LimitsConfig,
}
