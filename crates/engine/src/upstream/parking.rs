//! Markets set aside because the upstream is unwell: why, since when and until when.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use price_cache_domain::{FailureClass, MarketId, Timestamp};
use tokio::time::Instant;

use crate::ParkingOptions;

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

/// In a few words, such as `10 x 503`.
impl fmt::Display for ParkReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status_code {
            Some(code) => write!(formatter, "{} x {code}", self.failures),
            None => write!(formatter, "{} x {}", self.failures, self.class),
        }
    }
}

/// The same with what the last failure said about itself, for where there is room for a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: ParkReason,
    pub(crate) last: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, the last: {}", self.reason, self.last)
    }
}

/// A market that is parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) trouble: Trouble,
    /// Since the upstream was last well, as far as this market knows.
    pub(crate) since: Timestamp,
    /// When the next probe is due.
    pub(crate) until: Instant,
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
    /// Nothing is known of the upstream yet: the first failure is enough.
    is_wary: bool,
    markets: HashMap<MarketId, Market>,
}

#[derive(Debug, Default)]
struct Market {
    parked: Option<Parked>,
    /// Probes since the upstream was last well, the coming one included.
    probes: u32,
}

impl Parking {
    /// At the start of the program. A run that was interrupted may have been so in an outage, of which no
    /// record tells: it goes on warily.
    pub(crate) fn new(options: ParkingOptions) -> Self {
        Self { options, state: Mutex::new(State { is_wary: true, ..State::default() }) }
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

    /// One more failure of this kind after `in_a_row` of the market, itself included; tells whether
    /// that is enough to doubt the upstream.
    pub(crate) fn failed(&self, in_a_row: u32) -> bool {
        self.change(|state| {
            state.failures = state.failures.saturating_add(1);
            state.is_wary || in_a_row.max(state.failures) >= self.options.failures_in_a_row
        })
    }

    /// The upstream answered as it should.
    pub(crate) fn answered(&self) {
        self.change(|state| (state.failures, state.is_wary) = (0, false));
    }

    /// Parks a market, or leaves it parked after a probe that failed; tells until when. The delay doubles with
    /// each probe; its upper half is left to chance, so that markets do not probe together. `jitter` is a
    /// fraction from 0 to 1.
    ///
    /// There is no probe before `earliest`, when the upstream asked for that.
    pub(crate) fn park(
        &self,
        market: &MarketId,
        trouble: Trouble,
        now: Timestamp,
        earliest: Option<Instant>,
        jitter: f64,
    ) -> Instant {
        self.change(|state| {
            let failures = state.failures.max(trouble.reason.failures);
            let market = state.markets.entry(market.clone()).or_default();
            let doublings = market.probes.min(31);
            market.probes = market.probes.saturating_add(1);
            let bound = self.options.probe_delay_start.saturating_mul(1 << doublings);
            let bound = bound.min(self.options.probe_delay_max);
            let until = Instant::now() + bound.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
            let until = earliest.map_or(until, |earliest| until.max(earliest));
            let before = market.parked.as_ref();
            let (failures, since) =
                before.map_or((failures, now), |parked| (parked.trouble.reason.failures, parked.since));
            let reason = ParkReason { failures, ..trouble.reason };
            market.parked = Some(Parked { trouble: Trouble { reason, ..trouble }, since, until });
            until
        })
    }

    /// Why and until when a market is parked, if it is.
    pub(crate) fn parked(&self, market: &MarketId) -> Option<Parked> {
        self.change(|state| state.markets.get(market)?.parked.clone())
    }

    /// How many probes of a market failed since the upstream was last well.
    pub(crate) fn probes_failed(&self, market: &MarketId) -> u32 {
        self.change(|state| state.markets.get(market).map_or(0, |market| market.probes.saturating_sub(1)))
    }

    /// A probe succeeded, or the market has nothing left to do.
    pub(crate) fn take_up(&self, market: &MarketId) {
        self.change(|state| state.markets.remove(market));
    }

    /// A person asks to go on: every parked market is probed as soon as there is room.
    pub(crate) fn probe_at_once(&self) {
        let now = Instant::now();
        self.change(|state| {
            for parked in state.markets.values_mut().filter_map(|market| market.parked.as_mut()) {
                parked.until = parked.until.min(now);
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
