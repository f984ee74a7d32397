//! How a scripted source answers.

use price_cache_domain::{
    BoxFuture, Fault, Fetched, MarketId, PageCursor, PriceSource, ProductId, ProductLists, ProductPage, Quote,
};

use super::state::Pair;
use super::{ScriptedSource, default_price};
use crate::gate::lock;

/// Counts a request as under way until it is dropped.
struct InFlight<'a> {
    source: &'a ScriptedSource,
    market: &'a MarketId,
    answered: bool,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(&self.source.state).end(self.market, self.answered);
    }
}

impl PriceSource for ScriptedSource {
    fn markets(&self) -> BoxFuture<'_, Result<Vec<MarketId>, Fault>> {
        Box::pin(async move {
            lock(&self.state).market_listings += 1;
            self.listing().await?;
            Ok(lock(&self.state).markets.clone())
        })
    }

    fn product_lists(&self) -> ProductLists {
        if lock(&self.state).shared_lists { ProductLists::Shared } else { ProductLists::PerMarket }
    }

    fn products<'a>(
        &'a self,
        market: &'a MarketId,
        cursor: Option<&'a PageCursor>,
    ) -> BoxFuture<'a, Result<ProductPage, Fault>> {
        Box::pin(async move {
            *lock(&self.state).product_listings.entry(market.clone()).or_default() += 1;
            self.listing().await?;
            let hangs = lock(&self.state).product_lists_hang;
            if hangs {
                std::future::pending::<()>().await;
            }
            lock(&self.state).page(market, cursor)
        })
    }

    fn purge<'a>(&'a self, market: &'a MarketId, product: &'a ProductId) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            lock(&self.state).pair(&(market.clone(), product.clone())).purges += 1;
            Ok(())
        })
    }

    fn price<'a>(
        &'a self,
        market: &'a MarketId,
        product: &'a ProductId,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Fetched, Fault>> {
        Box::pin(async move {
            let key: Pair = (market.clone(), product.clone());
            let (request, gate, delay) = lock(&self.state).begin(&key, etag);
            let mut flight = InFlight { source: self, market, answered: false };
            if let Some(delay) = delay {
                delay(market, product, request).await;
            }
            if let Some(gate) = gate {
                gate.await;
            }
            let (scripted, default) = {
                let mut state = lock(&self.state);
                (state.pair(&key).answers.pop_front(), state.default_answer.clone())
            };
            flight.answered = true;
            match (scripted, default) {
                (Some(answer), _) => answer,
                (None, Some(default)) => default(market, product, request, etag),
                (None, None) => {
                    Ok(Fetched::Price(Quote { price: default_price(market, product), etag: None }))
                }
            }
        })
    }

    fn price_url(&self, market: &MarketId, product: &ProductId) -> String {
        let url = lock(&self.state).price_url;
        url.map_or_else(|| format!("https://prices.test/{market}/{product}"), |url| url(market, product))
    }
}
