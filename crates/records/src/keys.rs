//! The keys of records. Ids hold no control characters, so NUL ends one and orders prefixes right.

use price_cache_domain::{MarketId, PlanPageKey, ProductId, RunId};

/// Ends a market in a key.
const END: u8 = 0;
/// What follows [`END`]: no id begins or goes on with it either.
const AFTER_END: u8 = 1;

/// The key of the format of the whole store.
pub const FORMAT: &[u8] = b"format";
/// The key of the marker that is present while the plans of a forgotten run are being deleted.
pub const CLEARING: &[u8] = b"clearing";
/// The length of the key of a plan page, in bytes.
pub const PLAN_PAGE_BYTES: usize = 16;
/// The key of the run.
pub const RUN: &[u8] = b"run/";

/// Returns the key of the entry of a pair.
pub fn entry(market: &MarketId, product: &ProductId) -> Vec<u8> {
    let (market, product) = (market.as_str().as_bytes(), product.as_str().as_bytes());
    let mut key = Vec::with_capacity(market.len() + 1 + product.len());
    key.extend_from_slice(market);
    key.push(END);
    key.extend_from_slice(product);
    key
}

/// Returns the key before the first entry of a market.
pub fn market_start(market: &str) -> Vec<u8> {
    [market.as_bytes(), &[END]].concat()
}

/// Returns the key after the last entry of a market.
pub fn market_end(market: &str) -> Vec<u8> {
    [market.as_bytes(), &[AFTER_END]].concat()
}

/// Returns the market and product of an entry's key; `None` where it is not one.
pub fn parse_entry(key: &[u8]) -> Option<(&str, &str)> {
    let end = key.iter().position(|byte| *byte == END)?;
    let (market, product) = (&key[..end], &key[end + 1..]);
    Some((std::str::from_utf8(market).ok()?, std::str::from_utf8(product).ok()?))
}

/// Returns what the keys of all plan pages of a run begin with.
pub fn plan_run(run: RunId) -> [u8; 8] {
    run.number().to_be_bytes()
}

/// Returns the key of a plan page.
pub fn plan_page(key: PlanPageKey) -> Vec<u8> {
    let (list, page) = (key.list.to_be_bytes(), key.page.to_be_bytes());
    [plan_run(key.run).as_slice(), &list, &page].concat()
}

/// Describes the key of an entry for people.
pub fn describe_entry(key: &[u8]) -> String {
    match parse_entry(key) {
        Some((market, product)) => format!("the entry of product {product:?} in market {market:?}"),
        None => format!("the entry with key {:?}", String::from_utf8_lossy(key)),
    }
}

/// Describes the key of a plan page for people.
pub fn describe_plan_page(key: &[u8]) -> String {
    let number = |bytes: Option<&[u8]>| {
        bytes.map_or(0, |bytes| bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let (run, list, page) = (number(key.get(..8)), number(key.get(8..12)), number(key.get(12..16)));
    format!("page {page} of product list {list} of run-{run}")
}
