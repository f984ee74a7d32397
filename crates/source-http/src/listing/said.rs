//! What an answer says about the next page: numbers, truth values, cursors and URLs in every spelling.

use std::hash::{DefaultHasher, Hash, Hasher};

use price_cache_domain::{Fault, ProductId};
use reqwest::Url;
use serde_json::Value;

use super::invalid;
use crate::answer::{kind_of, text_of};
use crate::json::{Found, JsonPath};

pub(super) const SECTION: &str = "source.products.pagination";

/// How surely an answer says that more follows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Announced {
    /// It only does not say that this was all.
    No,
    /// Its number of products is larger than those that came, which may count hidden ones.
    ByTotal,
    /// It says so, or how many pages there are.
    Surely,
}

/// Where an answer says that the list goes on.
pub(super) struct Next {
    /// The number, cursor or URL of the page.
    pub(super) at: String,
    /// How surely it says so.
    pub(super) announced: Announced,
}

impl Next {
    /// Follows a cursor or URL that may be the last one.
    pub(super) const fn named(at: String) -> Self {
        Self { at, announced: Announced::No }
    }
}

/// Makes a hash of the ids on a page, in whatever order they come.
pub(super) fn hash_of(products: &[ProductId]) -> u64 {
    let mut ids: Vec<&str> = products.iter().map(ProductId::as_str).collect();
    ids.sort_unstable();
    let mut hasher = DefaultHasher::new();
    ids.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn odd(name: &str, path: &JsonPath, found: &str, wanted: &str) -> Fault {
    invalid(format!("{SECTION}.{name} = {:?} leads to {found}, not to {wanted}", path.text))
}

/// Reads a whole number, also in a text; an empty page may do without.
pub(super) fn number(
    name: &str,
    path: &JsonPath,
    value: &Value,
    is_empty: bool,
) -> Result<Option<u64>, Fault> {
    let number = match path.find(value) {
        Found::One(Value::Number(number)) => number.as_u64(),
        Found::One(Value::String(text)) => text.parse().ok(),
        Found::One(Value::Null) | Found::Nothing if is_empty => return Ok(None),
        Found::One(_) | Found::Nothing | Found::Several(_) => None,
    };
    number.map(Some).ok_or_else(|| odd(name, path, "something else", "a whole number"))
}

/// Reads a truth value, also where it is written as 0 and 1 or as a text.
pub(super) fn truth(value: &Value) -> Option<bool> {
    let text = match value {
        Value::Bool(flag) => return Some(*flag),
        Value::Number(number) if number.as_f64() == Some(0.0) => return Some(false),
        Value::Number(number) if number.as_f64() == Some(1.0) => return Some(true),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => return None,
    };
    match text.as_str() {
        "true" | "1" | "yes" | "y" => Some(true),
        "false" | "0" | "no" | "n" | "" => Some(false),
        _ => None,
    }
}

/// Reads a cursor or URL; none where it is missing or one of the values that stand for the end.
pub(super) fn optional_text(name: &str, path: &JsonPath, value: &Value) -> Result<Option<String>, Fault> {
    let value = match path.find(value) {
        Found::Nothing => return Ok(None),
        Found::One(value) => value,
        Found::Several(_) => return Err(odd(name, path, "several values", "a text")),
    };
    let is_end = match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => matches!(number.as_f64(), Some(0.0 | -1.0)),
        Value::String(text) => matches!(text.trim(), "" | "0" | "null" | "false"),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    };
    if is_end {
        return Ok(None);
    }
    text_of(value).map(Some).ok_or_else(|| odd(name, path, kind_of(value), "a text"))
}

/// Joins the URL of the next page to the one that was asked.
pub(super) fn joined(asked: &Url, text: &str) -> Result<String, Fault> {
    asked
        .join(text)
        .map(String::from)
        .map_err(|error| invalid(format!("the URL of the next page is none: {error}")))
}
