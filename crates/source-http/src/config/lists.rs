//! `[source.markets]` and `[source.products]`: where the ids come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HeadersConfig, Method, PaginationConfig};

/// The markets: either `list`, or `url` with `items`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MarketsConfig {
    /// The market ids, in the order in which to walk them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<String>>,
    /// Where to ask for them: a path below `base_url`, or a whole URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// GET or POST.
    pub method: Method,
    /// The body of a POST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Headers of this request besides `[source.headers]`.
    pub headers: HeadersConfig,
    /// JSONPath of the array of markets, or of each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// JSONPath of the id within an item; items that are texts or whole numbers need none, `$.id` for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The products of a market: either `list`, or `url` with `items`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProductsConfig {
    /// The product ids of every market.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<String>>,
    /// Where to ask for them: a template over `{market}` and, by the style of pagination, `{page}`, `{offset}`,
    /// `{cursor}`, `{size}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether one list serves every market; it is then asked for once.
    pub shared: bool,
    /// GET or POST.
    pub method: Method,
    /// The body of a POST: a template over the same variables as `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Headers of this request besides `[source.headers]`.
    pub headers: HeadersConfig,
    /// JSONPath of the array of products, or of each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// JSONPath of the id within an item; items that are texts or whole numbers need none, `$.id` for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How the list goes on.
    pub pagination: PaginationConfig,
}
