//! The health of the upstream as one pure state machine: when a market may send its next request, and what an answer
//! means for the product, the market and the run. Time and randomness are arguments.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use price_cache_domain::{FailureClass, Fault, MarketId};

use crate::Options;
use crate::upstream::attribution::{InARow, Sign, Suspect};
use crate::upstream::circuit::{OpenCircuit, ParkReason, Trouble};
use crate::upstream::decision::{Decision, Next};
use crate::upstream::lane::{Lane, Slot};
use crate::upstream::now::Now;
use crate::upstream::observation::{Observation, RequestKind};
use crate::upstream::pace::Pace;
use crate::upstream::retry::RetryPolicy;
use crate::upstream::retry_budget::RetryBudget;
use crate::upstream::slots::Slots;
use crate::upstream::wait::{NotBefore, WaitReason};

/// How often a market looks during the slow start whether there is an earlier slot for it.
const RECHECK: Duration = Duration::from_millis(250);
/// Slots are reserved again when their distance has become shorter than this fraction of what it was.
const RENEWED_BELOW: f64 = 0.7;

/// Requests per second that all markets together may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceLimit {
    /// Requests per second.
    pub requests_per_second: f64,
    /// Whether refusals made it lower than configured.
    pub is_throttled: bool,
}

/// How a walk of a market begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entrance {
    /// Whether the circuit is half-open: the first request is a canary request, whatever it asks for.
    pub(crate) is_half_open: bool,
    /// Canary requests that failed since the circuit opened.
    pub(crate) canaries_failed: u32,
}

/// The health of the upstream. It outlives sessions and runs, because the upstream does not know of them.
#[derive(Debug)]
pub(crate) struct Upstream {
    options: Options,
    retry: RetryPolicy,
    budget: RetryBudget,
    /// The rate limiter of all markets together.
    slots: Slots,
    /// Slots of earlier generations were reserved at another pace and do not hold any more.
    generation: u64,
    /// The distance of the slots of this generation at its beginning.
    slot_interval: Duration,
    /// The adaptive pace; `None` where it is switched off.
    pace: Option<Pace>,
    /// Suspect failures since any market had a healthy answer.
    in_a_row: InARow,
    /// Nothing is known of the upstream yet: the first failure is enough.
    is_wary: bool,
    /// Whether the credentials were accepted for any product of the run.
    were_accepted: bool,
    /// Requests that belong to no market.
    shared: Lane,
    markets: HashMap<MarketId, Lane>,
}

impl Upstream {
    /// Knows nothing yet. An interrupted run may have been interrupted in an outage, so the first failure counts.
    pub(crate) fn new(options: Options, now: Instant) -> Self {
        Self {
            retry: RetryPolicy::new(options.retry.clone()),
            budget: RetryBudget::new(&options.retry),
            pace: options.pacing.adaptive.then(|| Pace::new(now)),
            options,
            slots: Slots::default(),
            generation: 0,
            slot_interval: Duration::ZERO,
            in_a_row: InARow::default(),
            is_wary: true,
            were_accepted: false,
            shared: Lane::default(),
            markets: HashMap::new(),
        }
    }

    /// Starts a new run: a full retry budget, every circuit closed. Waits that the upstream asked for stay.
    pub(crate) fn begin_run(&mut self) {
        self.budget.reset();
        (self.in_a_row, self.is_wary) = (InARow::default(), false);
        self.markets.values_mut().for_each(Lane::close);
    }

    /// Starts or resumes the walk over the markets; `were_accepted` when the run has a price. Where a person asked for
    /// it, the canary requests of open circuits are due at once.
    pub(crate) fn begin_walk(&mut self, were_accepted: bool, is_asked_for: bool, now: Instant) {
        self.were_accepted = were_accepted;
        self.in_a_row = self.in_a_row.without_refusals();
        for lane in self.markets.values_mut() {
            lane.was_deferred = false;
            if let Some(open) = lane.open.as_mut().filter(|_| is_asked_for) {
                open.until = open.until.min(now);
            }
        }
    }

    /// Starts the walk of one market, with nothing held back.
    pub(crate) fn enter(&mut self, market: &MarketId) -> Entrance {
        let lane = self.markets.entry(market.clone()).or_default();
        lane.enter();
        let open = lane.open.as_ref();
        let canaries_failed = open.map_or(0, |open| open.canaries_failed);
        Entrance { is_half_open: open.is_some(), canaries_failed }
    }

    /// Closes the circuit of a market that has nothing left to do.
    pub(crate) fn leave(&mut self, market: &MarketId) {
        self.lane(Some(market)).close();
    }

    /// Returns the open circuit of a market that is parked.
    pub(crate) fn parked(&self, market: &MarketId) -> Option<&OpenCircuit> {
        self.markets.get(market)?.open.as_ref()
    }

    /// Returns what the next request of a market has to wait for; `None` means that it is to be sent now. Until then
    /// the market keeps its place in the order of those that ask.
    pub(crate) fn ready(&mut self, market: Option<&MarketId>, now: Instant) -> Option<NotBefore> {
        let (interval, reason) = self.interval(now);
        self.renew_slots(interval, now);
        let recheck_at = self.is_starting().then(|| now + RECHECK);
        let market_interval = self.options.pacing.market_interval_min;
        let generation = self.generation;
        let Self { slots, shared, markets, .. } = self;
        let lane = lane_of(shared, markets, market);
        if let Some(wait) = lane.wait(now) {
            return Some(wait);
        }
        // A slot does not hold any more if the pace fell meanwhile.
        let slot = lane.slot.take().filter(|slot| slot.generation == generation);
        let slot = slot.unwrap_or_else(|| Slot { at: slots.take(now, interval), reason, generation });
        if slot.at > now {
            let until = recheck_at.map_or(slot.at, |recheck_at| recheck_at.min(slot.at));
            let wait = (until, slot.reason);
            lane.slot = Some(slot);
            return Some(wait);
        }
        lane.slots.take(slot.at, market_interval);
        None
    }

    /// Takes back the place of a market that does not send its request after all.
    pub(crate) fn withdraw(&mut self, market: Option<&MarketId>, now: Instant) {
        let generation = self.generation;
        let Self { slots, shared, markets, .. } = self;
        let slot = lane_of(shared, markets, market).slot.take();
        if let Some(slot) = slot.filter(|slot| slot.generation == generation) {
            slots.give_back(slot.at, now);
        }
    }

    /// Takes note of an answer and decides what follows. `jitter` is a fraction from 0 to 1.
    pub(crate) fn observe(
        &mut self,
        market: Option<&MarketId>,
        observation: &Observation<'_>,
        now: Now,
        jitter: f64,
    ) -> Decision {
        let Observation { kind, fault, has_canary, .. } = *observation;
        self.adapt(market, observation, now.instant);
        let mut retry_denied = false;
        match fault {
            None => self.budget.earn(),
            Some(fault) => match self.retry(market, kind, fault, now.instant, jitter) {
                Some(true) => return Decision { next: Next::Retry, retry_denied },
                Some(false) => retry_denied = true,
                None => {}
            },
        }
        self.lane(market).settle();
        let next = match (kind, market) {
            (RequestKind::List, _) | (_, None) => Next::Record,
            (RequestKind::Price | RequestKind::Canary, Some(market)) => {
                self.attribute(market, kind, fault, has_canary, now, jitter)
            }
        };
        Decision { next, retry_denied }
    }

    /// Decides what becomes of outcomes that are still held back when a market has no more products.
    pub(crate) fn finish(&mut self, market: &MarketId, has_canary: bool, now: Now, jitter: f64) -> Next {
        let were_accepted = self.were_accepted;
        let lane = self.lane(Some(market));
        let Some(held) = lane.held.clone() else { return Next::Record };
        let is_refused = matches!(held, Suspect::Credentials(_));
        if has_canary {
            return Next::Canary;
        }
        if is_refused && !were_accepted {
            return self.blame(market, held, now, jitter);
        }
        lane.held = None;
        if is_refused && !std::mem::replace(&mut lane.was_deferred, true) {
            Next::Defer
        } else {
            Next::Record
        }
    }

    /// Pays for a retry that a worker makes by itself; false where the budget is empty.
    pub(crate) fn spend_retry(&mut self) -> bool {
        self.budget.spend()
    }

    /// Returns how fast all markets together may send requests now; `None` when nothing limits them.
    pub(crate) fn limit(&mut self, now: Instant) -> Option<PaceLimit> {
        let (interval, reason) = self.interval(now);
        let is_throttled = reason == WaitReason::Throttled;
        (!interval.is_zero())
            .then(|| PaceLimit { requests_per_second: 1.0 / interval.as_secs_f64(), is_throttled })
    }

    /// Gives new slots to all that wait when the pace has grown much since they were reserved.
    fn renew_slots(&mut self, interval: Duration, now: Instant) {
        if self.is_starting() && interval < self.slot_interval.mul_f64(RENEWED_BELOW) {
            self.discard_slots(interval, interval, now);
        }
    }

    /// Discards the slots of all that wait; the next ones begin after `wait`, `interval` apart.
    fn discard_slots(&mut self, wait: Duration, interval: Duration, now: Instant) {
        self.generation += 1;
        self.slots.restart(now, wait);
        self.slot_interval = interval;
    }

    /// Tells whether the pace is still looked for.
    fn is_starting(&self) -> bool {
        self.pace.as_ref().is_some_and(Pace::is_starting)
    }

    /// Returns the time between two requests of all markets together, and why it is not shorter.
    fn interval(&mut self, now: Instant) -> (Duration, WaitReason) {
        let configured = self.options.pacing.upstream_interval_min;
        let adapted = self.pace.as_mut().and_then(|pace| pace.interval(now));
        match adapted.filter(|adapted| *adapted > configured) {
            Some(adapted) => (adapted, WaitReason::Throttled),
            None => (configured, WaitReason::Pacing),
        }
    }

    /// Adapts the pace of all and the waits of the market to an answer.
    fn adapt(&mut self, market: Option<&MarketId>, observation: &Observation<'_>, now: Instant) {
        let Observation { sent, fault, .. } = *observation;
        let is_adaptive = self.pace.is_some();
        if let Some(pace) = &mut self.pace
            && let Some(wait) = pace.answered(observation.pace_answer(), sent, now)
        {
            let slot_interval = pace.interval(now).unwrap_or_default();
            self.discard_slots(wait, slot_interval, now);
        }
        let retry_after_max = self.options.retry.retry_after_max;
        let delay = self.options.delay_between_requests;
        let lane = self.lane(market);
        let asked = fault.and_then(|fault| fault.retry_after).map(|asked| asked.min(retry_after_max));
        let slowed = match fault {
            None if is_adaptive => lane.latency.observe(now.saturating_duration_since(sent)),
            _ => Duration::ZERO,
        };
        let delayed = lane.slots.next().max(Some(now + delay));
        let waits = [
            delayed.map(|until| (until, WaitReason::Pacing)),
            Some((now + slowed, WaitReason::SlowAnswers)),
            asked.map(|asked| (now + asked, WaitReason::RetryAfter)),
        ];
        lane.not_before = waits.into_iter().flatten().max_by_key(|(until, _)| *until);
    }

    /// Tells whether a failed request is sent again; `None` where it should not be, false where the budget is empty.
    fn retry(
        &mut self,
        market: Option<&MarketId>,
        kind: RequestKind,
        fault: &Fault,
        now: Instant,
        jitter: f64,
    ) -> Option<bool> {
        let Self { retry, budget, shared, markets, .. } = self;
        let lane = lane_of(shared, markets, market);
        lane.tries.add(fault, now);
        let is_single = kind == RequestKind::Canary || (lane.open.is_some() && kind == RequestKind::Price);
        let (wait, reason) = retry.wait_after(fault, lane.tries, now, jitter).filter(|_| !is_single)?;
        // An upstream that says when to come back says itself how much load is right.
        if fault.failure.class() != FailureClass::RateLimited && !budget.spend() {
            return Some(false);
        }
        lane.backoff = Some((now + wait, reason));
        Some(true)
    }

    /// Decides whose failure it is.
    fn attribute(
        &mut self,
        market: &MarketId,
        kind: RequestKind,
        fault: Option<&Fault>,
        has_canary: bool,
        now: Now,
        jitter: f64,
    ) -> Next {
        let failures_max = self.options.parking.failures_in_a_row;
        let suspect = match Sign::of(fault, failures_max > 0) {
            Sign::Suspect(suspect) => suspect,
            Sign::Healthy => {
                (self.in_a_row, self.is_wary, self.were_accepted) = (InARow::default(), false, true);
                self.lane(Some(market)).close();
                return Next::Record;
            }
        };
        let is_outage = matches!(suspect, Suspect::Upstream { .. });
        let lane = self.lane(Some(market));
        if kind == RequestKind::Canary || (is_outage && lane.open.is_some()) {
            return self.blame(market, suspect, now, jitter);
        }
        lane.in_a_row.count(&suspect);
        lane.held = Some(suspect.clone());
        let of_market = lane.in_a_row;
        self.in_a_row.count(&suspect);
        let is_enough =
            [of_market, self.in_a_row].iter().any(|count| count.is_enough(&suspect, failures_max));
        let is_doubted = is_enough || (is_outage && self.is_wary);
        if !is_doubted {
            Next::Hold
        } else if has_canary {
            Next::Canary
        } else {
            self.blame(market, suspect, now, jitter)
        }
    }

    /// Blames the upstream or the credentials.
    fn blame(&mut self, market: &MarketId, suspect: Suspect, now: Now, jitter: f64) -> Next {
        let of_all = self.in_a_row.failures;
        let Self { shared, markets, options, .. } = self;
        let lane = lane_of(shared, markets, Some(market));
        lane.held = None;
        let (class, status_code, last) = match suspect {
            Suspect::Credentials(words) => return Next::End(words),
            Suspect::Upstream { class, status_code, message } => (class, status_code, message),
        };
        let failures = lane.in_a_row.failures.max(of_all).max(1);
        let trouble = Trouble { reason: ParkReason { failures, class, status_code }, last };
        let earliest = lane.not_before.map(|(until, _)| until);
        let open = OpenCircuit::after(lane.open.take(), trouble, earliest, &options.parking, now, jitter);
        let until = open.until;
        lane.open = Some(open);
        Next::Park(until)
    }

    fn lane(&mut self, market: Option<&MarketId>) -> &mut Lane {
        lane_of(&mut self.shared, &mut self.markets, market)
    }
}

fn lane_of<'a>(
    shared: &'a mut Lane,
    markets: &'a mut HashMap<MarketId, Lane>,
    market: Option<&MarketId>,
) -> &'a mut Lane {
    match market {
        None => shared,
        Some(market) => markets.entry(market.clone()).or_default(),
    }
}
