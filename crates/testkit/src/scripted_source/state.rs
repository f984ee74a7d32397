//! What a scripted source knows: catalogue, script and counts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use price_cache_domain::{FailureClass, Fault, Fetched, MarketId, PageCursor, ProductId, ProductPage};

use super::{Call, DelayHook};
use crate::gate::Gate;

pub(super) type Pair = (MarketId, ProductId);

type DefaultAnswer =
    Arc<dyn Fn(&MarketId, &ProductId, u32, Option<&str>) -> Result<Fetched, Fault> + Send + Sync>;
type Delay = Arc<<DelayHook as std::ops::Deref>::Target>;

#[derive(Default)]
pub(super) struct PairState {
    pub(super) answers: VecDeque<Result<Fetched, Fault>>,
    pub(super) hanging: Option<Gate<()>>,
    pub(super) requests: u32,
    pub(super) purges: u32,
}

#[derive(Default)]
pub(super) struct Flight {
    pub(super) now: u32,
    pub(super) max: u32,
}

impl Flight {
    fn begin(&mut self) {
        self.now += 1;
        self.max = self.max.max(self.now);
    }
}

pub(super) struct State {
    pub(super) markets: Vec<MarketId>,
    pub(super) products: HashMap<MarketId, Vec<ProductId>>,
    pub(super) page_size: usize,
    pub(super) shared_lists: bool,
    pub(super) pairs: HashMap<Pair, PairState>,
    pub(super) calls: Vec<Call>,
    pub(super) in_flight: HashMap<MarketId, Flight>,
    pub(super) in_flight_total: Flight,
    pub(super) cancelled: u64,
    pub(super) market_listings: u32,
    pub(super) product_listings: HashMap<MarketId, u32>,
    pub(super) listing_faults: VecDeque<Fault>,
    pub(super) listings_hanging: Option<Gate<()>>,
    pub(super) product_lists_hang: bool,
    pub(super) price_url: Option<fn(&MarketId, &ProductId) -> String>,
    pub(super) default_answer: Option<DefaultAnswer>,
    pub(super) delay: Option<Delay>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            markets: Vec::new(),
            products: HashMap::new(),
            page_size: 100,
            shared_lists: false,
            pairs: HashMap::new(),
            calls: Vec::new(),
            in_flight: HashMap::new(),
            in_flight_total: Flight::default(),
            cancelled: 0,
            market_listings: 0,
            product_listings: HashMap::new(),
            listing_faults: VecDeque::new(),
            listings_hanging: None,
            product_lists_hang: false,
            price_url: None,
            default_answer: None,
            delay: None,
        }
    }

    pub(super) fn pair(&mut self, pair: &Pair) -> &mut PairState {
        self.pairs.entry(pair.clone()).or_default()
    }

    /// Counts a request for a price and says what it has to wait for.
    pub(super) fn begin(
        &mut self,
        pair: &Pair,
        etag: Option<&str>,
    ) -> (u32, Option<Gate<()>>, Option<Delay>) {
        let (market, product) = pair.clone();
        self.calls.push(Call { market: market.clone(), product, etag: etag.map(str::to_owned) });
        self.in_flight.entry(market).or_default().begin();
        self.in_flight_total.begin();
        let delay = self.delay.clone();
        let state = self.pair(pair);
        state.requests += 1;
        (state.requests, state.hanging.clone(), delay)
    }

    pub(super) fn end(&mut self, market: &MarketId, answered: bool) {
        if let Some(flight) = self.in_flight.get_mut(market) {
            flight.now -= 1;
        }
        self.in_flight_total.now -= 1;
        self.cancelled += u64::from(!answered);
    }

    /// A page of a market's products; the cursor is the index of its first product.
    pub(super) fn page(&self, market: &MarketId, cursor: Option<&PageCursor>) -> Result<ProductPage, Fault> {
        let Some(products) = self.products.get(market) else {
            return Err(Fault::new(FailureClass::NotFound, format!("no market {market}")).with_status(404));
        };
        let start = cursor.map_or(Some(0), |cursor| cursor.0.parse::<usize>().ok());
        let Some(start) = start else {
            return Err(Fault::new(FailureClass::Rejected, "unknown cursor").with_status(400));
        };
        let start = start.min(products.len());
        let end = products.len().min(start.saturating_add(self.page_size));
        let next = (end < products.len()).then(|| PageCursor(end.to_string()));
        Ok(ProductPage::new(products[start..end].to_vec(), next))
    }
}
