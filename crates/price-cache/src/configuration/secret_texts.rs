//! A list of texts that may be secrets by mistake, so that no error repeats what stands there.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::Value;

/// Reads the list; what is wrong is told without the value.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let Value::Array(entries) = Value::deserialize(deserializer)? else {
        return Err(Error::custom("must be a list of texts"));
    };
    let text = |entry| match entry {
        Value::String(text) => Ok(text),
        _ => Err(Error::custom("must be a list of texts, and one of its entries is none")),
    };
    entries.into_iter().map(text).collect()
}
