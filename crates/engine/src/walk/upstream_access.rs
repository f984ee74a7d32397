//! Gives the workers access to the one state machine of the upstream's health: the lock, the clock and the random
//! numbers that the machine itself does not have.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use price_cache_domain::{Clock, MarketId};
use tokio::time::Instant;

use crate::Options;
use crate::upstream::decision::{Decision, Next};
use crate::upstream::machine::{PaceLimit, Upstream};
use crate::upstream::now::Now;
use crate::upstream::observation::Observation;
use crate::upstream::wait::WaitReason;

/// Shared by all workers of the service, one session after another.
pub(crate) struct UpstreamAccess {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    machine: Upstream,
    random: fastrand::Rng,
}

impl UpstreamAccess {
    pub(crate) fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let machine = Upstream::new(options, Instant::now().into_std());
        Self { clock, state: Mutex::new(State { machine, random: fastrand::Rng::new() }) }
    }

    /// Asks or tells the machine something.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut Upstream, Now) -> T) -> T {
        let now = self.now();
        call(&mut self.lock().machine, now)
    }

    /// Takes note of an answer and decides what follows.
    pub(crate) fn observe(&self, market: Option<&MarketId>, observation: &Observation<'_>) -> Decision {
        let now = self.now();
        let State { machine, random } = &mut *self.lock();
        machine.observe(market, observation, now, random.f64())
    }

    /// Decides what becomes of outcomes that are held back at the end of a market.
    pub(crate) fn finish(&self, market: &MarketId, has_canary: bool) -> Next {
        let now = self.now();
        let State { machine, random } = &mut *self.lock();
        machine.finish(market, has_canary, now, random.f64())
    }

    /// Returns how fast all markets together may send requests now.
    pub(crate) fn limit(&self) -> Option<PaceLimit> {
        self.with(|machine, now| machine.limit(now.instant))
    }

    /// Takes a place in the order of those that want to send a request.
    pub(crate) const fn admission<'a>(&'a self, market: Option<&'a MarketId>) -> Admission<'a> {
        Admission { access: self, market, is_admitted: false }
    }

    /// Returns a random number below `count`.
    pub(crate) fn pick(&self, count: usize) -> usize {
        self.lock().random.usize(..count.max(1))
    }

    fn now(&self) -> Now {
        Now { instant: Instant::now().into_std(), wall: self.clock.now() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the order, which is given back if it is dropped before the request may be sent.
pub(crate) struct Admission<'a> {
    access: &'a UpstreamAccess,
    market: Option<&'a MarketId>,
    is_admitted: bool,
}

impl Admission<'_> {
    /// Returns what the request has to wait for next; `None` when it is to be sent now.
    pub(crate) fn wait(&mut self) -> Option<(Instant, WaitReason)> {
        let wait = self.access.with(|machine, now| machine.ready(self.market, now.instant));
        self.is_admitted = wait.is_none();
        wait.map(|(until, reason)| (Instant::from_std(until), reason))
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if !self.is_admitted {
            self.access.with(|machine, now| machine.withdraw(self.market, now.instant));
        }
    }
}
