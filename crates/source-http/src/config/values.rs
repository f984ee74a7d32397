//! Small values that several sections share: headers, methods, conditions, currencies.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Request headers by name. Values may contain `${NAME}`, replaced by that environment variable.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct HeadersConfig(pub BTreeMap<String, String>);

impl fmt::Debug for HeadersConfig {
    /// Names only: someone may have written a key into the file instead of the environment.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// How prices and lists are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Method {
    /// Without a body.
    #[default]
    #[serde(rename = "GET")]
    Get,
    /// With a body, as GraphQL and many search APIs want it.
    #[serde(rename = "POST")]
    Post,
}

/// A text, a whole number or a truth value to compare with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl de::Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a whole number, true or false")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                i64::try_from(number).map(Scalar::Integer).map_err(E::custom)
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// Something that holds or does not hold of an answer: `{ path = "$.code", equals = "SLOW_DOWN" }` or
/// `{ header = "X-Reason", equals = "quota" }`.
///
/// With `equals`: what is looked at is that. With `null = true`: it is null or not there. With neither: it
/// is there and is neither null nor false.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionConfig {
    /// JSONPath of the value to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The header to look at, instead of a value in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The value that it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Scalar>,
    /// Whether it must be null or not there.
    #[serde(default)]
    pub null: bool,
}

/// A currency: a fixed code such as `"EUR"`, a JSONPath such as `"$.price.currency"`, or a table of codes by market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CurrencyConfig {
    /// A code, or a JSONPath where it begins with `$`.
    Text(String),
    /// Codes by market id.
    Markets(BTreeMap<String, String>),
}

impl<'de> Deserialize<'de> for CurrencyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> de::Visitor<'de> for TextOrTable {
            type Value = CurrencyConfig;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "a currency code such as \"EUR\", a JSONPath such as \"$.currency\", or a table of codes by market",
                )
            }

            fn visit_str<E>(self, text: &str) -> Result<CurrencyConfig, E> {
                Ok(CurrencyConfig::Text(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<CurrencyConfig, A::Error> {
                let mut codes = BTreeMap::new();
                while let Some((market, code)) = map.next_entry()? {
                    codes.insert(market, code);
                }
                Ok(CurrencyConfig::Markets(codes))
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}
