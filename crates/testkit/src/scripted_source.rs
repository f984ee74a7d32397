//! A source of prices that does what a test tells it, and counts what it was asked.

mod answers;
mod state;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use price_cache_domain::{Fault, Fetched, MarketId, Price, ProductId};

use crate::gate::{Gate, lock};
use crate::shorthand::{market, price, product};
use state::State;

/// Waits before a request for a price is answered: the future for (market, product, how many requests
/// for this pair there were, this one included). Lets tests sleep in their own runtime's time.
pub type DelayHook = Box<
    dyn Fn(&MarketId, &ProductId, u32) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> + Send + Sync,
>;

/// One request for a price, as the source saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The market.
    pub market: MarketId,
    /// The product.
    pub product: ProductId,
    /// The validator that was sent.
    pub etag: Option<String>,
}

/// The price that a pair has unless a script says otherwise: always the same for the same ids.
pub fn default_price(market: &MarketId, product: &ProductId) -> Price {
    let bytes = market.as_str().bytes().chain([0]).chain(product.as_str().bytes());
    // FNV-1a: small, stable across versions of Rust, and good enough to tell pairs apart.
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let cents = hash % 100_000;
    price(&format!("{}.{:02}", cents / 100, cents % 100), "EUR")
}

/// A [`PriceSource`](price_cache_domain::PriceSource) that follows a script. A clone is the same source, so a test keeps one to change the
/// catalogue while an engine walks it.
///
/// Each request for a price takes the first of: the pair's next scripted answer, the default answer set
/// by [`set_default`](Self::set_default), [`default_price`].
#[derive(Clone)]
pub struct ScriptedSource {
    state: Arc<Mutex<State>>,
}

impl Default for ScriptedSource {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedSource {
    /// A source without markets, a list per market, 100 products on a page.
    pub fn new() -> Self {
        Self { state: Arc::new(Mutex::new(State::new())) }
    }

    /// Adds a market with its products at the end of the list.
    #[must_use]
    pub fn with_market(self, id: &str, products: &[&str]) -> Self {
        let products = products.iter().map(|id| product(id)).collect();
        self.set_products(id, products);
        self
    }

    /// Adds a market with `count` products named `p0000`, `p0001` and so on.
    #[must_use]
    pub fn with_numbered(self, id: &str, count: usize) -> Self {
        self.set_products(id, (0..count).map(|index| product(&format!("p{index:04}"))).collect());
        self
    }

    /// Replaces a market's products; a new market comes at the end of the list.
    pub fn set_products(&self, id: &str, products: Vec<ProductId>) {
        let mut state = lock(&self.state);
        let id = market(id);
        if !state.markets.contains(&id) {
            state.markets.push(id.clone());
        }
        state.products.insert(id, products);
    }

    /// Replaces the list of markets, in this order; the same id may come twice. Products stay.
    pub fn set_markets(&self, ids: &[&str]) {
        lock(&self.state).markets = ids.iter().map(|id| market(id)).collect();
    }

    /// Sets how many products are on a page; 0 is taken as 1.
    pub fn set_page_size(&self, products: usize) {
        lock(&self.state).page_size = products.max(1);
    }

    /// Says that one list, that of whichever market is asked for, serves every market.
    pub fn set_shared_lists(&self, shared: bool) {
        lock(&self.state).shared_lists = shared;
    }

    /// Adds answers to the queue of a pair.
    pub fn script(
        &self,
        market_id: &str,
        product_id: &str,
        answers: impl IntoIterator<Item = Result<Fetched, Fault>>,
    ) {
        let pair = (market(market_id), product(product_id));
        lock(&self.state).pair(&pair).answers.extend(answers);
    }

    /// Sets what is answered where no script says anything: for (market, product, how many requests for
    /// the pair there were, this one included, the validator sent).
    pub fn set_default(
        &self,
        answer: impl Fn(&MarketId, &ProductId, u32, Option<&str>) -> Result<Fetched, Fault>
        + Send
        + Sync
        + 'static,
    ) {
        lock(&self.state).default_answer = Some(Arc::new(answer));
    }

    /// Waits before every answer.
    pub fn set_delay(&self, delay: DelayHook) {
        lock(&self.state).delay = Some(Arc::from(delay));
    }

    /// Requests for this pair are not answered until [`release`](Self::release).
    pub fn hang(&self, market_id: &str, product_id: &str) {
        let pair = (market(market_id), product(product_id));
        lock(&self.state).pair(&pair).hanging = Some(Gate::closed());
    }

    /// Answers the hanging requests for this pair, and later ones at once.
    pub fn release(&self, market_id: &str, product_id: &str) {
        let pair = (market(market_id), product(product_id));
        if let Some(gate) = lock(&self.state).pair(&pair).hanging.take() {
            gate.open(());
        }
    }

    /// Requests for lists, of markets and of products, are not answered until
    /// [`release_listings`](Self::release_listings).
    pub fn hang_listings(&self) {
        lock(&self.state).listings_hanging = Some(Gate::closed());
    }

    /// Answers the hanging requests for lists, and later ones at once.
    pub fn release_listings(&self) {
        if let Some(gate) = lock(&self.state).listings_hanging.take() {
            gate.open(());
        }
    }

    /// Requests for lists of products are never answered.
    pub fn hang_product_lists(&self) {
        lock(&self.state).product_lists_hang = true;
    }

    /// Sets what is shown as the URL of a price.
    pub fn set_price_url(&self, url: fn(&MarketId, &ProductId) -> String) {
        lock(&self.state).price_url = Some(url);
    }

    /// The next requests for a list, of markets or of products, get these faults.
    pub fn fail_listings(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state).listing_faults.extend(faults);
    }

    /// How many requests for the price of a pair there were.
    pub fn requests(&self, market_id: &str, product_id: &str) -> u32 {
        lock(&self.state).pair(&(market(market_id), product(product_id))).requests
    }

    /// How many requests for prices there were.
    pub fn requests_total(&self) -> u64 {
        lock(&self.state).pairs.values().map(|pair| u64::from(pair.requests)).sum()
    }

    /// Every request for a price, in order.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// How many requests for prices of a market are under way.
    pub fn in_flight(&self, market_id: &str) -> u32 {
        lock(&self.state).in_flight.get(&market(market_id)).map_or(0, |flight| flight.now)
    }

    /// How many requests for prices of a market were ever under way at once.
    pub fn in_flight_max(&self, market_id: &str) -> u32 {
        lock(&self.state).in_flight.get(&market(market_id)).map_or(0, |flight| flight.max)
    }

    /// How many requests for prices were under way at once in all markets together, at most.
    pub fn in_flight_max_total(&self) -> u32 {
        lock(&self.state).in_flight_total.max
    }

    /// How many requests for prices were given up before they were answered.
    pub fn cancelled(&self) -> u64 {
        lock(&self.state).cancelled
    }

    /// How often the markets were listed.
    pub fn market_listings(&self) -> u32 {
        lock(&self.state).market_listings
    }

    /// How many pages of a market's products were asked for.
    pub fn product_listings(&self, market_id: &str) -> u32 {
        lock(&self.state).product_listings.get(&market(market_id)).copied().unwrap_or(0)
    }

    /// How often the purge of a pair was asked for.
    pub fn purges(&self, market_id: &str, product_id: &str) -> u32 {
        lock(&self.state).pair(&(market(market_id), product(product_id))).purges
    }

    /// Waits while listings hang, then takes the next listing fault.
    async fn listing(&self) -> Result<(), Fault> {
        let gate = lock(&self.state).listings_hanging.clone();
        if let Some(gate) = gate {
            gate.await;
        }
        lock(&self.state).listing_faults.pop_front().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use price_cache_domain::{FailureClass, PriceSource};

    use super::*;
    use crate::{block_on, quote};

    #[test]
    fn pages_follow_each_other() {
        let source = ScriptedSource::new().with_numbered("US", 5);
        source.set_page_size(2);
        let us = market("US");
        let (mut cursor, mut sizes) = (None, Vec::new());
        loop {
            let page = block_on(source.products(&us, cursor.as_ref())).unwrap();
            sizes.push(page.products.len());
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((sizes, source.product_listings("US")), (vec![2, 2, 1], 3));
        assert_eq!(block_on(source.products(&market("DE"), None)).unwrap_err().status_code, Some(404));
    }

    #[test]
    fn a_script_comes_before_the_default_and_requests_are_counted() {
        let source = ScriptedSource::new().with_market("US", &["a"]);
        let (us, a) = (market("US"), product("a"));
        let fault = Fault::new(FailureClass::Timeout, "slow");
        source.script("US", "a", [Err(fault.clone()), Ok(quote("1.50", "USD"))]);
        assert_eq!(block_on(source.price(&us, &a, None)), Err(fault));
        assert_eq!(block_on(source.price(&us, &a, Some("v1"))), Ok(quote("1.50", "USD")));
        let Fetched::Price(given) = block_on(source.price(&us, &a, None)).unwrap() else {
            panic!("no validator was sent")
        };
        assert_eq!(given.price, default_price(&us, &a));
        assert_eq!((source.requests("US", "a"), source.in_flight_max("US")), (3, 1));
        assert_eq!(source.calls()[1].etag.as_deref(), Some("v1"));
    }

    #[test]
    fn a_hanging_request_counts_as_under_way_until_released_or_given_up() {
        let source = ScriptedSource::new().with_market("US", &["a"]);
        let (us, a) = (market("US"), product("a"));
        source.hang("US", "a");
        {
            let mut given_up = pin!(source.price(&us, &a, None));
            let mut answered = pin!(source.price(&us, &a, None));
            let mut context = Context::from_waker(Waker::noop());
            assert!(given_up.as_mut().poll(&mut context).is_pending());
            assert!(answered.as_mut().poll(&mut context).is_pending());
            assert_eq!((source.in_flight("US"), source.in_flight_max("US")), (2, 2));
            source.release("US", "a");
            assert!(matches!(answered.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
        }
        assert_eq!((source.in_flight("US"), source.cancelled()), (0, 1));
    }
}
