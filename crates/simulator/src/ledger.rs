//! Counts what the simulator was asked, so that a test can say from outside what a client did.
//!
//! A request is in flight from its head until its answer is written or its client is gone. A connection that the
//! client has closed counts as gone even before its task has noticed: otherwise a client that gives
//! up on a request and begins another would be blamed for two at once.

mod counts;
mod ticket;

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use counts::{LedgerSnapshot, MarketCounts, PairCounts};
pub(crate) use ticket::{Delivery, Ticket};

use crate::socket::Peer;

/// Pairs beyond this are counted in the totals only.
const PAIRS_MAX: usize = 4_000_000;
/// Markets beyond this are counted in the totals only: anybody can ask for any name.
const MARKETS_MAX: usize = 10_000;

/// The counters of one simulator.
#[derive(Debug)]
pub(crate) struct Ledger {
    count_pairs: bool,
    state: Mutex<State>,
    /// Told of each beginning and each end of a price request.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    snapshot: LedgerSnapshot,
    in_flight: Vec<InFlight>,
    tickets: u64,
    pairs: usize,
}

#[derive(Debug)]
struct InFlight {
    ticket: u64,
    market: Arc<str>,
    peer: Arc<Peer>,
}

impl Ledger {
    pub(crate) fn new(count_pairs: bool) -> Self {
        Self { count_pairs, state: Mutex::default(), changed: Notify::new() }
    }

    /// Counts a request for a price and says, in the ticket, which attempt of its pair it is.
    pub(crate) fn begin(self: &Arc<Self>, market: &str, product: &str, peer: &Arc<Peer>) -> Ticket {
        let mut state = self.lock();
        let state = &mut *state;
        state.tickets += 1;
        let (market, attempt) = state.count_request(market, product, self.count_pairs);
        let entry = InFlight { ticket: state.tickets, market: Arc::clone(&market), peer: Arc::clone(peer) };
        state.in_flight.push(entry);
        state.note_concurrency(&market);
        self.changed.notify_waiters();
        Ticket::new(Arc::clone(self), state.tickets, market, product, attempt)
    }

    /// Counts a request for a list and says which of its kind it is, from 1.
    pub(crate) fn listing(&self, market: Option<&str>) -> u32 {
        let mut state = self.lock();
        let state = &mut *state;
        state.snapshot.listings += 1;
        let count = match market {
            None => &mut state.snapshot.market_lists,
            Some(market) => {
                let Some((_, counts)) = state.snapshot.market_entry(market, MARKETS_MAX) else { return 1 };
                &mut counts.listings
            }
        };
        *count += 1;
        *count
    }

    /// Counts a purge, of a pair if it names one.
    pub(crate) fn purge(&self, pair: Option<(&str, &str)>) {
        let mut state = self.lock();
        let state = &mut *state;
        state.snapshot.totals.purges += 1;
        let Some((market, product)) = pair else { return };
        if let Some((_, counts)) = state.snapshot.market_entry(market, MARKETS_MAX) {
            counts.totals.purges += 1;
        }
        if let Some(counts) = state.pair_entry(market, product, self.count_pairs) {
            counts.purges += 1;
            counts.purge_pending = true;
        }
    }

    /// Forgets all counts, and with them the numbers of attempts. Requests in flight stay so.
    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        let markets: Vec<Arc<str>> = state.in_flight.iter().map(|entry| Arc::clone(&entry.market)).collect();
        state.snapshot = LedgerSnapshot::default();
        state.pairs = 0;
        for market in markets {
            state.note_concurrency(&market);
        }
    }

    pub(crate) fn snapshot(&self) -> LedgerSnapshot {
        let mut state = self.lock();
        state.sweep();
        state.snapshot.clone()
    }

    /// Returns as soon as the counts are as wanted: now, or after the beginning or the end of a price request.
    pub(crate) async fn wait_until(&self, wanted: impl Fn(&LedgerSnapshot) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if wanted(&self.lock().snapshot) {
                return;
            }
            changed.await;
        }
    }

    fn end(&self, ticket: &Ticket) {
        let mut state = self.lock();
        let state = &mut *state;
        if let Some(position) = state.in_flight.iter().position(|entry| entry.ticket == ticket.number()) {
            let entry = state.in_flight.swap_remove(position);
            state.recount(&entry.market);
        }
        state.snapshot.totals.settle(ticket);
        if let Some(counts) = state.snapshot.markets.get_mut(ticket.market()) {
            counts.totals.settle(ticket);
            if let Some(pair) = counts.pairs.get_mut(ticket.product()) {
                pair.settle(ticket);
            }
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters are whole after each statement, so a panic elsewhere does not spoil them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a request in the totals, its market and its pair. Answers with the market's id and the number of the attempt.
    fn count_request(&mut self, market: &str, product: &str, count_pairs: bool) -> (Arc<str>, u32) {
        let mut attempt = 1;
        let mut purged = false;
        if let Some(pair) = self.pair_entry(market, product, count_pairs) {
            purged = std::mem::take(&mut pair.purge_pending);
            pair.request(purged);
            attempt = pair.requests;
        }
        self.snapshot.totals.request(purged);
        match self.snapshot.market_entry(market, MARKETS_MAX) {
            Some((id, counts)) => {
                counts.totals.request(purged);
                (id, attempt)
            }
            None => (market.into(), attempt),
        }
    }

    fn pair_entry(&mut self, market: &str, product: &str, count_pairs: bool) -> Option<&mut PairCounts> {
        if !count_pairs {
            return None;
        }
        let (_, counts) = self.snapshot.market_entry(market, MARKETS_MAX)?;
        if !counts.pairs.contains_key(product) {
            if self.pairs >= PAIRS_MAX {
                return None;
            }
            self.pairs += 1;
            counts.pairs.insert(product.into(), PairCounts::default());
        }
        counts.pairs.get_mut(product)
    }

    /// Raises the greatest numbers of concurrent requests, after a look at who is really still there.
    fn note_concurrency(&mut self, market: &str) {
        if self.in_flight_of(market) > self.snapshot.max_in_flight(market)
            || self.in_flight.len() > self.snapshot.max_in_flight_total as usize
        {
            self.sweep();
        }
        self.recount(market);
        let total = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        self.snapshot.max_in_flight_total = self.snapshot.max_in_flight_total.max(total);
        if let Some((_, counts)) = self.snapshot.market_entry(market, MARKETS_MAX) {
            counts.max_in_flight = counts.max_in_flight.max(counts.in_flight);
        }
    }

    fn in_flight_of(&self, market: &str) -> u32 {
        let count = self.in_flight.iter().filter(|entry| &*entry.market == market).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn recount(&mut self, market: &str) {
        let now = self.in_flight_of(market);
        if let Some((_, counts)) = self.snapshot.market_entry(market, MARKETS_MAX) {
            counts.in_flight = now;
        }
    }

    /// Drops the requests whose clients are gone.
    fn sweep(&mut self) {
        // A single request cannot be one too many.
        if self.in_flight.len() < 2 {
            return;
        }
        let gone: Vec<InFlight> = self.in_flight.extract_if(.., |entry| entry.peer.is_gone()).collect();
        for entry in gone {
            self.recount(&entry.market);
        }
    }
}
