//! Markets set aside because the upstream is unwell: why, until when, and what is held back meanwhile.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use price_cache_domain::{FailureClass, MarketId, ProductId};
use tokio::time::Instant;

use crate::ParkingOptions;

/// A product that was held back so often is recorded as failed the next time, so that products which can
/// never be had do not keep their market parked.
const HELD_TIMES_MAX: u32 = 3;

/// Why a market is parked: so many failures in a row, and what the last of them was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParkReason {
    /// Failures in a row, of this market or of all together, probes not counted.
    pub failures: u32,
    /// The class of the last one.
    pub class: FailureClass,
    /// Its HTTP status, where an answer with one came.
    pub status_code: Option<u16>,
}

impl fmt::Display for ParkReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status_code {
            Some(code) => write!(formatter, "{} x {code}", self.failures),
            None => write!(formatter, "{} x {}", self.failures, self.class),
        }
    }
}

/// Which markets are parked. Outlives sessions, so that an automatic retry of the run begins with a probe.
#[derive(Debug)]
pub(crate) struct Parking {
    options: ParkingOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Failures since any market had a good answer.
    failures: u32,
    markets: HashMap<MarketId, Market>,
}

#[derive(Debug, Default)]
struct Market {
    parked: Option<(ParkReason, Instant)>,
    /// Probes since the upstream was last well, the coming one included.
    probes: u32,
    /// How often the products that are held back were.
    held: HashMap<ProductId, u32>,
}

impl Parking {
    pub(crate) fn new(options: ParkingOptions) -> Self {
        Self { options, state: Mutex::default() }
    }

    /// Whether a failure of this class says that the upstream is unwell and its product is not to blame.
    pub(crate) const fn suspects(&self, class: FailureClass) -> bool {
        self.options.failures_in_a_row > 0
            && match class {
                FailureClass::Transport
                | FailureClass::Timeout
                | FailureClass::ServerError
                | FailureClass::RateLimited => true,
                FailureClass::NotFound
                | FailureClass::Rejected
                | FailureClass::Credentials
                | FailureClass::InvalidAnswer
                | FailureClass::Cancelled => false,
            }
    }

    /// One more failure of this kind after `in_a_row` of the market, itself included; tells how many there
    /// are when that is enough to park it.
    pub(crate) fn failed(&self, in_a_row: u32) -> Option<u32> {
        self.change(|state| {
            state.failures = state.failures.saturating_add(1);
            let failures = in_a_row.max(state.failures);
            (failures >= self.options.failures_in_a_row).then_some(failures)
        })
    }

    /// The upstream answered as it should.
    pub(crate) fn answered(&self) {
        self.change(|state| state.failures = 0);
    }

    /// Whether a product was held back as often as it may be.
    pub(crate) fn was_held_enough(&self, market: &MarketId, product: &ProductId) -> bool {
        self.change(|state| {
            let held = state.markets.get(market).and_then(|market| market.held.get(product));
            held.is_some_and(|times| *times >= HELD_TIMES_MAX)
        })
    }

    /// Parks a market and holds these products back; tells until when. `jitter` is a fraction from 0 to 1.
    pub(crate) fn park(
        &self,
        market: &MarketId,
        reason: ParkReason,
        held: impl Iterator<Item = ProductId>,
        jitter: f64,
    ) -> Instant {
        self.change(|state| {
            let market = state.markets.entry(market.clone()).or_default();
            let before = std::mem::take(&mut market.held);
            market.held =
                held.map(|product| (product.clone(), before.get(&product).unwrap_or(&0) + 1)).collect();
            self.set_aside(market, reason, jitter)
        })
    }

    /// A probe failed; tells until when its market stays parked.
    pub(crate) fn probe_failed(&self, market: &MarketId, reason: ParkReason, jitter: f64) -> Instant {
        self.change(|state| self.set_aside(state.markets.entry(market.clone()).or_default(), reason, jitter))
    }

    /// The delay doubles; its upper half is left to chance, so that markets do not probe together.
    fn set_aside(&self, market: &mut Market, reason: ParkReason, jitter: f64) -> Instant {
        let doublings = market.probes.min(31);
        market.probes = market.probes.saturating_add(1);
        let bound = self.options.probe_delay_start.saturating_mul(1 << doublings);
        let bound = bound.min(self.options.probe_delay_max);
        let until = Instant::now() + bound.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        market.parked = Some((reason, until));
        until
    }

    /// Why a market is parked and until when, if it is.
    pub(crate) fn parked(&self, market: &MarketId) -> Option<(ParkReason, Instant)> {
        self.change(|state| state.markets.get(market)?.parked)
    }

    /// How many probes of a market failed since the upstream was last well.
    pub(crate) fn probes_failed(&self, market: &MarketId) -> u32 {
        self.change(|state| state.markets.get(market).map_or(0, |market| market.probes.saturating_sub(1)))
    }

    /// A probe succeeded.
    pub(crate) fn take_up(&self, market: &MarketId) {
        self.change(|state| {
            if let Some(market) = state.markets.get_mut(market) {
                market.parked = None;
                market.probes = 0;
            }
        });
    }

    /// A market has nothing left to do.
    pub(crate) fn forget(&self, market: &MarketId) {
        self.change(|state| state.markets.remove(market));
    }

    /// A person asks to go on: every parked market is probed as soon as there is room.
    pub(crate) fn probe_at_once(&self) {
        let now = Instant::now();
        self.change(|state| {
            for (_, until) in state.markets.values_mut().filter_map(|market| market.parked.as_mut()) {
                *until = (*until).min(now);
            }
        });
    }

    /// A new run begins.
    pub(crate) fn reset(&self) {
        self.change(|state| *state = State::default());
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
