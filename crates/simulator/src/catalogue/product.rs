//! A product and its price, as they are served.

use std::borrow::Cow;
use std::sync::Arc;

/// A product of one market with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The id, any text.
    pub id: Arc<str>,
    /// The amount as it is to be served, character by character. Text that is not a JSON number makes the answer invalid JSON.
    pub amount: Arc<str>,
    /// The code of the currency, any text.
    pub currency: Arc<str>,
}

impl Product {
    /// A product from its three texts.
    #[must_use]
    pub fn new(id: &str, amount: &str, currency: &str) -> Self {
        Self { id: id.into(), amount: amount.into(), currency: currency.into() }
    }
}

/// A price as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price<'a> {
    /// The text of the amount.
    pub amount: Cow<'a, str>,
    /// The code of the currency.
    pub currency: Cow<'a, str>,
}
