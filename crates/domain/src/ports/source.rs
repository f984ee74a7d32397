//! Where prices come from.

use std::time::Duration;

use crate::{BoxFuture, Failure, FailureClass, MarketId, Price, ProductId};

/// Why the source could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Fault {
    /// The class and a sentence without secrets.
    pub failure: Failure,
    /// The HTTP status, where there was one.
    pub status_code: Option<u16>,
    /// How long the source asked to wait before the next request, uncapped; `None` when it did not
    /// say, or said zero, the past or nonsense.
    pub retry_after: Option<Duration>,
}

impl Fault {
    /// A fault without a status.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { failure: Failure::new(class, message), status_code: None, retry_after: None }
    }

    /// The same fault with the HTTP status it came with.
    #[must_use]
    pub fn with_status(self, status_code: u16) -> Self {
        Self { status_code: Some(status_code), ..self }
    }
}

/// A price as the source gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The price.
    pub price: Price,
    /// A validator for later conditional requests, where the source gave one.
    pub etag: Option<String>,
}

/// A good answer to a request for a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// A price.
    Price(Quote),
    /// The price that the validator stands for still holds. Only ever given when one was sent.
    NotModified,
}

/// Where the next page of a product list begins; opaque to everyone but the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageCursor(pub String);

/// One page of a market's products, in the source's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductPage {
    /// The ids; the same id may appear again, here or on another page.
    pub products: Vec<ProductId>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<PageCursor>,
    /// The items of this page that are no products and were left out.
    pub skipped: SkippedItems,
    /// How many products the list says that it has, over all pages; `None` where it does not say.
    pub announced: Option<u64>,
}

impl ProductPage {
    /// A page of which nothing was left out, of a list that announces no total.
    pub fn new(products: Vec<ProductId>, next: Option<PageCursor>) -> Self {
        Self { products, next, ..Self::default() }
    }
}

/// Items of a product list that are no products: without an id, or with one that cannot be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkippedItems {
    /// How many there are.
    pub count: u64,
    /// What is wrong with the first of them, without secrets; `None` where there are none.
    pub example: Option<String>,
}

/// Whether markets have product lists of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductLists {
    /// Each market is asked for its own list.
    PerMarket,
    /// One list serves every market; it is asked for once, with the first market.
    Shared,
}

/// A pricing API. Cancelling (dropping) any of its futures ends the request.
pub trait PriceSource: Send + Sync {
    /// The markets in the order in which to walk them. Ids may repeat; the engine keeps the first.
    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, Fault>>;

    /// Whether markets share one product list.
    fn product_lists(&self) -> ProductLists;

    /// One page of the products of `market`: the first, or the one at `cursor`.
    fn products<'a>(
        &'a self,
        market: &'a MarketId,
        cursor: Option<&'a PageCursor>,
    ) -> BoxFuture<'a, Result<ProductPage, Fault>>;

    /// Called once before a product's first attempt, to purge an upstream cache so that the fetch
    /// warms it. Does nothing unless the source is configured to.
    fn purge<'a>(
        &'a self,
        _market: &'a MarketId,
        _product: &'a ProductId,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Asks for one price: exactly one request, apart from redirects. `etag` is the validator of the
    /// price at hand, if any; only then may the answer be [`Fetched::NotModified`].
    fn price<'a>(
        &'a self,
        market: &'a MarketId,
        product: &'a ProductId,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Fetched, Fault>>;

    /// The URL that [`price`](Self::price) asks for the pair, with secrets masked. Pure.
    fn price_url(&self, market: &MarketId, product: &ProductId) -> String;
}
