//! The counters themselves, as a test and the control routes see them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Delivery, Ticket};
use crate::FaultKind;

/// What became of the price requests of a pair, of a market or of all. A slow good answer counts as a fault and as served,
/// a hung request as a fault and as aborted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PairCounts {
    /// Requests begun, whatever became of them.
    pub requests: u32,
    /// Prices delivered to the last byte, as the catalogue has them.
    pub served: u32,
    /// Answers 304.
    pub not_modified: u32,
    /// Answers that there is no such pair.
    pub unknown: u32,
    /// Requests whose client went away (or whose simulator was stopped) before the end of the answer.
    pub aborted: u32,
    /// Purges received.
    pub purges: u32,
    /// Requests with a purge of their pair between them and the request before.
    pub fetches_after_purge: u32,
    /// Faults by kind.
    #[serde(serialize_with = "as_map")]
    pub faults: Vec<(FaultKind, u32)>,
    #[serde(skip)]
    pub(super) purge_pending: bool,
}

impl PairCounts {
    /// How often this fault was met.
    #[must_use]
    pub fn fault(&self, kind: FaultKind) -> u32 {
        self.faults.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }

    /// How many faults were met.
    #[must_use]
    pub fn faulted(&self) -> u32 {
        self.faults.iter().map(|(_, count)| *count).sum()
    }

    pub(super) fn request(&mut self, purged: bool) {
        self.requests += 1;
        self.fetches_after_purge += u32::from(purged);
    }

    pub(super) fn settle(&mut self, ticket: &Ticket) {
        match ticket.delivery() {
            Some(Delivery::Price) => self.served += 1,
            Some(Delivery::NotModified) => self.not_modified += 1,
            Some(Delivery::Unknown) => self.unknown += 1,
            Some(Delivery::Spoiled) => {}
            None => self.aborted += 1,
        }
        let Some(kind) = ticket.fault() else { return };
        match self.faults.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.faults.push((kind, 1)),
        }
    }
}

/// The counters of one market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketCounts {
    /// The sums over the pairs, of every request even when pairs are not counted.
    pub totals: PairCounts,
    /// Requests of the market's list of products, by page.
    pub listings: u32,
    /// Price requests in flight now.
    pub in_flight: u32,
    /// The most price requests ever in flight at once.
    pub max_in_flight: u32,
    /// The counters of each product that was asked for or purged.
    pub pairs: HashMap<Box<str>, PairCounts>,
}

/// All counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSnapshot {
    /// The sums over all pairs.
    pub totals: PairCounts,
    /// The most price requests ever in flight at once in all markets.
    pub max_in_flight_total: u32,
    /// Requests of any list.
    pub listings: u32,
    /// Requests of the list of markets or of the shared list of products.
    pub market_lists: u32,
    /// The counters of each market that was asked for.
    pub markets: HashMap<Arc<str>, MarketCounts>,
}

impl LedgerSnapshot {
    /// The counters of a pair; `None` when it was never asked for, or pairs are not counted.
    #[must_use]
    pub fn pair(&self, market: &str, product: &str) -> Option<&PairCounts> {
        self.markets.get(market)?.pairs.get(product)
    }

    /// How many price requests there were for a pair.
    #[must_use]
    pub fn requests(&self, market: &str, product: &str) -> u32 {
        self.pair(market, product).map_or(0, |counts| counts.requests)
    }

    /// How many price requests there were for a market.
    #[must_use]
    pub fn market_requests(&self, market: &str) -> u32 {
        self.markets.get(market).map_or(0, |counts| counts.totals.requests)
    }

    /// How many price requests of a market are in flight now.
    #[must_use]
    pub fn in_flight(&self, market: &str) -> u32 {
        self.markets.get(market).map_or(0, |counts| counts.in_flight)
    }

    /// The most price requests of a market ever in flight at once.
    #[must_use]
    pub fn max_in_flight(&self, market: &str) -> u32 {
        self.markets.get(market).map_or(0, |counts| counts.max_in_flight)
    }

    /// The most that any market ever had in flight at once.
    #[must_use]
    pub fn max_in_flight_of_any_market(&self) -> u32 {
        self.markets.values().map(|counts| counts.max_in_flight).max().unwrap_or_default()
    }

    /// How many requests of a market's list of products there were, by page.
    #[must_use]
    pub fn listing_requests(&self, market: &str) -> u32 {
        self.markets.get(market).map_or(0, |counts| counts.listings)
    }

    /// How many price requests there were in all.
    #[must_use]
    pub fn total_requests(&self) -> u32 {
        self.totals.requests
    }

    /// How many pairs were asked for.
    #[must_use]
    pub fn pairs_requested(&self) -> usize {
        self.pairs().filter(|(_, _, counts)| counts.requests > 0).count()
    }

    /// The pairs with more than `limit` requests, sorted: market, product, requests.
    #[must_use]
    pub fn requests_over(&self, limit: u32) -> Vec<(String, String, u32)> {
        let mut found: Vec<_> = self
            .pairs()
            .filter(|(_, _, counts)| counts.requests > limit)
            .map(|(market, product, counts)| (market.to_owned(), product.to_owned(), counts.requests))
            .collect();
        found.sort_unstable();
        found
    }

    /// How many pairs had how many requests.
    #[must_use]
    pub fn requests_per_pair(&self) -> BTreeMap<u32, u32> {
        let mut histogram = BTreeMap::new();
        for (_, _, counts) in self.pairs() {
            *histogram.entry(counts.requests).or_default() += 1;
        }
        histogram
    }

    /// Every pair that was asked for or purged, in no order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str, &PairCounts)> {
        self.markets.iter().flat_map(|(market, counts)| {
            counts.pairs.iter().map(move |(product, pair)| (&**market, &**product, pair))
        })
    }

    /// The counters of a market, made when there is room for it.
    pub(super) fn market_entry(
        &mut self,
        market: &str,
        markets_max: usize,
    ) -> Option<(Arc<str>, &mut MarketCounts)> {
        let id: Arc<str> = match self.markets.get_key_value(market) {
            Some((id, _)) => Arc::clone(id),
            None if self.markets.len() >= markets_max => return None,
            None => {
                let id: Arc<str> = market.into();
                self.markets.insert(Arc::clone(&id), MarketCounts::default());
                id
            }
        };
        self.markets.get_mut(market).map(|counts| (id, counts))
    }
}

fn as_map<S: Serializer>(faults: &[(FaultKind, u32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(faults.iter().map(|(kind, count)| (kind, count)))
}
