//! `[source.price]` and `[source.purge]`: the request for one price, and the one before it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConditionConfig, CurrencyConfig, HeadersConfig, Method};

/// How an amount is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmountForm {
    /// A JSON number or a text with a decimal number: `19.99`, `"19.99"`.
    #[default]
    Decimal,
    /// A whole number of the currency's smallest unit: `1999` for 19.99 EUR.
    MinorUnits,
}

/// How to ask for one price, and how to read the answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceConfig {
    /// A template (RFC 6570) over `{market}` and `{product}`: a path below `base_url`, or a whole URL.
    pub url: String,
    /// GET or POST.
    #[serde(default)]
    pub method: Method,
    /// The body of a POST: a template over `{{ market | tojson }}` and `{{ product | tojson }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Headers of this request besides `[source.headers]`.
    #[serde(default)]
    pub headers: HeadersConfig,
    /// JSONPath of the amount.
    pub amount: String,
    /// How the amount is written.
    #[serde(default)]
    pub form: AmountForm,
    /// How many decimals a minor unit stands for; by default what ISO 4217 says of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponent: Option<u8>,
    /// The currency of the amount.
    pub currency: CurrencyConfig,
    /// The currency that must come out: any other makes the answer invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_currency: Option<CurrencyConfig>,
    /// JSONPath of the product's id in the answer: any other than the one asked for makes the answer invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_check: Option<String>,
    /// JSONPath of the market's id in the answer: any other than the one asked for makes the answer invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market_check: Option<String>,
    /// What holds of every good answer; the request is rejected otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<ConditionConfig>,
    /// JSONPath of an error message: the request is rejected where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_path: Option<String>,
    /// What holds of an answer, of any status, that says the product has no price here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found_when: Option<ConditionConfig>,
    /// What holds of an answer, of any status, that asks for fewer requests; holds for lists too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limited_when: Option<ConditionConfig>,
    /// Whether to send `If-None-Match` where an earlier answer had an `ETag`.
    #[serde(default)]
    pub conditional: bool,
}

/// A request before a product's first, such as one that bans a CDN's entry so that the fetch warms it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeConfig {
    /// A template over `{market}` and `{product}`: a path below `base_url`, or a whole URL.
    pub url: String,
    /// The method, also one that only caches know, such as PURGE or BAN.
    #[serde(default = "purge_method")]
    pub method: String,
    /// A body: a template over `{{ market | tojson }}` and `{{ product | tojson }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Headers of this request besides `[source.headers]`.
    #[serde(default)]
    pub headers: HeadersConfig,
    /// Whether a purge that fails makes the product's attempt fail; it is only logged otherwise.
    #[serde(default)]
    pub required: bool,
}

fn purge_method() -> String {
    "PURGE".to_owned()
}
