//! `[source.limits]`: how long to wait, how much to read, how far to follow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// The deepest nesting that can be configured: the JSON parser's own limit is a little above.
pub const DEPTH_MAX: usize = 120;

/// How long to wait, how much to read, how far to follow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// The longest time to establish a connection, TLS included.
    pub connect: Span,
    /// The longest time from the request until the headers of the answer.
    pub first_byte: Span,
    /// The longest time for the whole exchange, redirects and body included.
    pub total: Span,
    /// The largest body of a price, in bytes after decompression.
    pub body_bytes: u64,
    /// The largest body of a list of markets or one page of products, in bytes after decompression.
    pub listing_body_bytes: u64,
    /// How deep arrays and objects may nest, at most 120.
    pub depth: usize,
    /// How many redirects one request may follow.
    pub redirects: usize,
    /// Origins such as `https://prices.shop.example` that redirects, `next` URLs and URL templates may
    /// lead to besides the one of `base_url`. `[source.headers]` are sent only to the origin of `base_url`.
    pub allow_redirects_to: Vec<String>,
    /// The most pages of one market's product list.
    pub listing_pages_max: u64,
    /// The most products of one market.
    pub products_max: u64,
    /// The most markets.
    pub markets_max: usize,
    /// What to send as `User-Agent`.
    pub user_agent: String,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connect: Span::from_secs(3),
            first_byte: Span::from_secs(10),
            total: Span::from_secs(20),
            body_bytes: 1 << 20,
            listing_body_bytes: 16 << 20,
            depth: 64,
            redirects: 5,
            allow_redirects_to: Vec::new(),
            listing_pages_max: 20_000,
            products_max: 2_000_000,
            markets_max: 10_000,
            user_agent: concat!("price-cache/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
