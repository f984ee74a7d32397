//! Where in a list of products a page is, and the cursor that says so to others.

use price_cache_domain::{FailureClass, Fault, PageCursor};
use serde::{Deserialize, Serialize};

use crate::secrets::Secrets;

/// Where in a list a page is; what a [`PageCursor`] says inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The number of the page, the products to pass over, the cursor or the URL; empty for the first
    /// page where that is asked for without.
    #[serde(rename = "a")]
    pub(crate) at: String,
    /// How many pages came before.
    #[serde(rename = "p")]
    pub(crate) pages: u64,
    /// How many items came before, products or not.
    #[serde(rename = "n")]
    pub(crate) products: u64,
    /// A hash of the products on the page before.
    #[serde(rename = "h")]
    pub(crate) hash: u64,
    /// Whether the page before said explicitly that this one follows.
    #[serde(rename = "m", default)]
    pub(crate) promised: bool,
    /// How many of the items before are no products.
    #[serde(rename = "s", default)]
    pub(crate) skipped: u64,
    /// How many products the list says that it has.
    #[serde(rename = "t", default)]
    pub(crate) announced: Option<u64>,
}

impl Place {
    /// The place that a cursor stands for.
    ///
    /// # Errors
    /// The cursor is not one of this source.
    pub(crate) fn of(cursor: &PageCursor, secrets: &Secrets) -> Result<Self, Fault> {
        let mut place: Self = serde_json::from_str(&cursor.0).map_err(|_| {
            Fault::new(FailureClass::Rejected, "the cursor of the product list is not of this source")
        })?;
        place.at = secrets.unseal(&place.at);
        Ok(place)
    }

    /// The cursor for this place, without secrets.
    pub(crate) fn cursor(mut self, secrets: &Secrets) -> PageCursor {
        self.at = secrets.seal(&self.at);
        PageCursor(serde_json::to_string(&self).unwrap_or_default())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_kept_without_secrets() {
        let mut secrets = Secrets::default();
        secrets.fill("${KEY}", crate::secrets::Place::Url, &|_| Some("hunter2".to_owned())).unwrap();
        let place = Place {
            at: "https://x/?key=hunter2".to_owned(),
            pages: 2,
            products: 7,
            hash: 9,
            promised: true,
            skipped: 1,
            announced: Some(9),
        };
        let cursor = place.clone().cursor(&secrets);
        assert!(!cursor.0.contains("hunter2"));
        assert_eq!(Place::of(&cursor, &secrets).unwrap(), place);
        let earlier = Place::of(&PageCursor(r#"{"a":"3","p":2,"n":7,"h":9}"#.to_owned()), &secrets).unwrap();
        assert!(!earlier.promised, "a cursor of an earlier version is still understood");
        assert!(Place::of(&PageCursor("x".to_owned()), &secrets).is_err());
    }
}
