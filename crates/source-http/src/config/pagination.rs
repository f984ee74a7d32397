//! `source.products.pagination`: how a list of products goes on after its first page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a list of products goes on after its first page.
///
/// Parameters are added to the query of the URL, unless its template or the body's names the variable
/// itself (`{page}`, `{offset}`, `{cursor}`, `{size}`; in a body `{{ cursor | tojson }}`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "style", rename_all = "snake_case", deny_unknown_fields)]
pub enum PaginationConfig {
    /// There is one page.
    #[default]
    None,
    /// Pages are numbered. The list ends at an empty page, or where `total_pages`, `total` or `has_more` says so.
    Page {
        /// The query parameter for the number.
        #[serde(default = "page_name")]
        param: String,
        /// The number of the first page.
        #[serde(default = "one")]
        first: u64,
        /// The query parameter for the size of a page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_param: Option<String>,
        /// How many products to ask for at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        /// JSONPath of the number of pages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total_pages: Option<String>,
        /// JSONPath of the number of products.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<String>,
        /// JSONPath of a truth value: whether another page follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        has_more: Option<String>,
    },
    /// A page begins after a number of products. The list ends at an empty page, or where `total` or `has_more` says so.
    Offset {
        /// The query parameter for the number of products to pass over.
        #[serde(default = "offset_name")]
        param: String,
        /// The query parameter for the size of a page.
        #[serde(default = "limit_name")]
        size_param: String,
        /// How many products to ask for at once.
        size: u64,
        /// JSONPath of the number of products.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<String>,
        /// JSONPath of a truth value: whether another page follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        has_more: Option<String>,
    },
    /// Each answer names the cursor of the next page. The list ends where it is null, empty or not there.
    Cursor {
        /// The query parameter for the cursor; the first page is asked for without it.
        #[serde(default = "cursor_name")]
        param: String,
        /// JSONPath of the next page's cursor.
        next: String,
        /// JSONPath of a truth value: whether another page follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        has_more: Option<String>,
        /// The query parameter for the size of a page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_param: Option<String>,
        /// How many products to ask for at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
    /// Each answer holds the next page's URL, whole or relative. The list ends where it is null, empty or not there.
    NextUrl {
        /// JSONPath of the URL.
        next: String,
    },
    /// Each answer has a `Link` header (RFC 8288) with `rel="next"`. The list ends where it has none.
    LinkHeader {},
}

fn page_name() -> String {
    "page".to_owned()
}

fn one() -> u64 {
    1
}

fn offset_name() -> String {
    "offset".to_owned()
}

fn limit_name() -> String {
    "limit".to_owned()
}

fn cursor_name() -> String {
    "cursor".to_owned()
}
