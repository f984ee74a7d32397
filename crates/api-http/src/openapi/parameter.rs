//! One parameter of a path, a query or the headers, with its limits.

use price_cache_api_types::ID_PATTERN;
use price_cache_domain::{FailureClass, ID_BYTES_MAX};
use serde::Serialize;
use serde_json::{Value, json};

/// One parameter.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    #[serde(rename = "in")]
    place: &'static str,
    required: bool,
    description: &'static str,
    schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<&'static str>,
}

impl Parameter {
    const fn new(place: &'static str, name: &'static str, description: &'static str, schema: Value) -> Self {
        Self { name, place, required: false, description, schema, example: None }
    }

    /// A whole number from 1 to `max`.
    pub(crate) fn count(
        name: &'static str,
        max: usize,
        default: Option<usize>,
        description: &'static str,
    ) -> Self {
        let mut schema = json!({"type": "integer", "minimum": 1, "maximum": max});
        if let Some(default) = default {
            schema["default"] = default.into();
        }
        Self::new("query", name, description, schema)
    }

    /// The id of a market or a product.
    pub(crate) fn id(name: &'static str, description: &'static str) -> Self {
        Self::new("query", name, description, id_schema())
    }

    /// The id of a market or a product as a segment of the path.
    pub(crate) fn segment(name: &'static str, description: &'static str, example: &'static str) -> Self {
        let parameter = Self::new("path", name, description, id_schema());
        Self { required: true, example: Some(example), ..parameter }
    }

    /// One of some words as a segment of the path.
    pub(crate) fn word(name: &'static str, description: &'static str, words: &[&str]) -> Self {
        let parameter = Self::new("path", name, description, json!({"type": "string", "enum": words}));
        Self { required: true, ..parameter }
    }

    /// A class of failures.
    pub(crate) fn class(description: &'static str) -> Self {
        let classes = FailureClass::ALL.map(FailureClass::name);
        Self::new("query", "class", description, json!({"type": "string", "enum": classes}))
    }

    /// `true` or `false`.
    pub(crate) fn flag(name: &'static str, description: &'static str) -> Self {
        Self::new("query", name, description, json!({"type": "boolean"}))
    }

    /// A text of this form.
    pub(crate) fn text(name: &'static str, pattern: &str, description: &'static str) -> Self {
        Self::new("query", name, description, json!({"type": "string", "pattern": pattern}))
    }

    /// A header of the request.
    pub(crate) fn header(name: &'static str, description: &'static str) -> Self {
        Self::new("header", name, description, json!({"type": "string"}))
    }
}

fn id_schema() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": ID_BYTES_MAX, "pattern": ID_PATTERN})
}
