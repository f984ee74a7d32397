//! Fetches one product: sends the request, and turns what came into an entry.

use std::sync::atomic::{AtomicBool, Ordering};

use price_cache_domain::{
    Attempt, Entry, FailureClass, Fault, Fetched, MarketId, PriceSource, ProductId, Visit,
};

use crate::upstream::decision::Next;
use crate::upstream::observation::RequestKind;
use crate::walk::requester::{Answer, GivenUp, Requester, Subject, Success};

/// Fetches the products of one market, one request at a time.
pub(crate) struct ProductFetcher<'a> {
    pub(crate) source: &'a dyn PriceSource,
    pub(crate) requester: Requester<'a>,
    pub(crate) market: &'a MarketId,
    pub(crate) market_index: usize,
    /// What the present visits are recorded as.
    pub(crate) visit: Visit,
}

/// A product that is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) product: &'a ProductId,
    pub(crate) previous: Option<&'a Entry>,
    pub(crate) kind: RequestKind,
    /// Whether a canary request can be sent if this one fails.
    pub(crate) has_canary: bool,
}

impl ProductFetcher<'_> {
    /// Returns the product's new entry and what follows from it. `None` when the run stops first.
    pub(crate) async fn fetch(&self, wanted: Wanted<'_>) -> Option<(Entry, Next)> {
        let Wanted { product, previous, kind, has_canary } = wanted;
        let etag = previous.and_then(|entry| entry.price.as_ref()?.etag.as_deref());
        let is_purged = AtomicBool::new(false);
        let subject = Subject { market: Some(self.market), shown: Some(self.market_index), kind, has_canary };
        let send = || self.ask(product, etag, &is_purged);
        let Answer { result, next } = self.requester.request(subject, send).await?;
        let entry = match result {
            Ok(Success { value, failed, at, duration }) => {
                let status_code = Some(if value == Fetched::NotModified { 304 } else { 200 });
                let last = Attempt { at, duration, status_code, failure: None };
                Entry::priced(previous, self.visit, failed, last, value)
            }
            Err(GivenUp { attempts, .. }) => Entry::failed(previous, self.visit, attempts),
        };
        Some((entry, next))
    }

    /// Sends one request for a price, after the purge of a CDN that succeeds once.
    async fn ask(
        &self,
        product: &ProductId,
        etag: Option<&str>,
        is_purged: &AtomicBool,
    ) -> Result<Fetched, Fault> {
        if !is_purged.load(Ordering::Relaxed) {
            self.source.purge(self.market, product).await?;
            is_purged.store(true, Ordering::Relaxed);
        }
        let fetched = self.source.price(self.market, product, etag).await?;
        if fetched == Fetched::NotModified && etag.is_none() {
            let message = "\"not modified\" came without having been asked for";
            return Err(Fault::new(FailureClass::InvalidAnswer, message).with_status(304));
        }
        Ok(fetched)
    }
}
