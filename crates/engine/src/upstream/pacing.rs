//! When the next request may be sent: configured rates and delays, what the upstream asked for, and how
//! fast it turns out to serve. Outlives sessions and runs, because the upstream does not know of them.

mod recent;
mod strain;
#[cfg(test)]
mod tests;
mod throttle;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use price_cache_domain::{FailureClass, Fault, MarketId};
use tokio::time::Instant;

use crate::upstream::wait::WaitReason;
use crate::{Options, PacingOptions};
use strain::Strain;
use throttle::{Answer, Throttle};

/// The status code of an upstream that has too much to do.
const OVERLOADED: u16 = 503;

/// A moment before which no request may be sent, and why.
pub(crate) type NotBefore = (Instant, WaitReason);

/// A turn at the upstream.
#[derive(Debug)]
struct Turn {
    at: Instant,
    /// Why it is not earlier.
    reason: WaitReason,
    generation: u64,
}

/// How fast requests may follow each other. Shared by all markets and by the planner.
#[derive(Debug)]
pub(crate) struct Pacing {
    options: PacingOptions,
    delay_between_requests: Duration,
    retry_after_max: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    upstream: Slots,
    /// Turns of earlier generations were given at another pace.
    generation: u64,
    throttle: Throttle,
    markets: HashMap<MarketId, Market>,
}

#[derive(Debug, Default)]
struct Market {
    slots: Slots,
    strain: Strain,
    not_before: Option<NotBefore>,
}

/// See [`Pacing::waits`].
pub(crate) struct Waits<'a> {
    pacing: &'a Pacing,
    market: Option<&'a MarketId>,
    /// What the market waits for by itself.
    own: Option<NotBefore>,
    turn: Option<Turn>,
}

impl Iterator for Waits<'_> {
    type Item = NotBefore;

    fn next(&mut self) -> Option<NotBefore> {
        if let Some(own) = self.own.take() {
            return Some(own);
        }
        // A turn is void when the pace fell while it was waited for; there is another one then.
        if self.turn.take().is_some_and(|turn| self.pacing.begin(&turn, self.market)) {
            return None;
        }
        let turn = self.pacing.take_turn();
        let wait = (turn.at, turn.reason);
        self.turn = Some(turn);
        Some(wait)
    }
}

impl Pacing {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            options: options.pacing.clone(),
            delay_between_requests: options.delay_between_requests,
            retry_after_max: options.retry.retry_after_max,
            state: Mutex::new(State {
                upstream: Slots::default(),
                generation: 0,
                throttle: Throttle::new(Instant::now()),
                markets: HashMap::new(),
            }),
        }
    }

    /// What the next request has to wait for, one after another: `backoff` or what else the market waits for by
    /// itself, and then its turn at the upstream. When that ends, the request is to be sent.
    pub(crate) fn waits<'a>(&'a self, market: Option<&'a MarketId>, backoff: Option<NotBefore>) -> Waits<'a> {
        let own = [backoff, market.and_then(|market| self.not_before(market))].into_iter().flatten();
        Waits { pacing: self, market, own: own.max_by_key(|(until, _)| *until), turn: None }
    }

    /// What a market has to wait for by itself, if anything.
    pub(crate) fn not_before(&self, market: &MarketId) -> Option<NotBefore> {
        let now = Instant::now();
        self.change(|state| state.markets.get(market)?.not_before.filter(|(until, _)| *until > now))
    }

    /// Takes the next turn at the upstream, which none but the caller may use. Turns are given in the order in
    /// which they are asked for.
    fn take_turn(&self) -> Turn {
        let now = Instant::now();
        self.change(|state| {
            let (interval, is_throttled) = self.upstream_interval(&mut state.throttle, now);
            let reason = if is_throttled { WaitReason::Throttled } else { WaitReason::Pacing };
            Turn { at: state.upstream.take(now, interval), reason, generation: state.generation }
        })
    }

    /// Uses a turn whose time has come, if it still holds.
    fn begin(&self, turn: &Turn, market: Option<&MarketId>) -> bool {
        self.change(|state| {
            let holds = state.generation == turn.generation;
            if let Some(market) = market.filter(|_| holds) {
                let market = state.markets.entry(market.clone()).or_default();
                market.slots.take(turn.at, self.options.market_interval_min);
            }
            holds
        })
    }

    /// An answer came, good or not, to a request that was sent at `begun`.
    pub(crate) fn answered(&self, market: Option<&MarketId>, begun: Instant, fault: Option<&Fault>) {
        let now = Instant::now();
        self.change(|state| {
            if self.options.adaptive && state.throttle.answered(kind_of(fault), begun, now) {
                state.generation += 1;
                state.upstream.next = state.throttle.interval(now).map(|interval| now + interval);
            }
            let Some(market) = market else { return };
            let market = state.markets.entry(market.clone()).or_default();
            let asked =
                fault.and_then(|fault| fault.retry_after).map(|asked| asked.min(self.retry_after_max));
            let eased = match fault {
                None if self.options.adaptive => market.strain.answered(now.duration_since(begun)),
                _ => Duration::ZERO,
            };
            let delayed = market.slots.next.max(Some(now + self.delay_between_requests));
            market.not_before = [
                delayed.map(|until| (until, WaitReason::Pacing)),
                Some((now + eased, WaitReason::SlowAnswers)),
                asked.map(|asked| (now + asked, WaitReason::RetryAfter)),
            ]
            .into_iter()
            .flatten()
            .max_by_key(|(until, _)| *until);
        });
    }

    /// Requests per second that all markets together may send now; `None` when nothing limits them.
    pub(crate) fn limit(&self) -> Option<PaceLimit> {
        let now = Instant::now();
        let (interval, is_throttled) = self.change(|state| self.upstream_interval(&mut state.throttle, now));
        (!interval.is_zero())
            .then(|| PaceLimit { requests_per_second: 1.0 / interval.as_secs_f64(), is_throttled })
    }

    /// The time between two requests of all markets together, and whether refusals made it longer than
    /// configured.
    fn upstream_interval(&self, throttle: &mut Throttle, now: Instant) -> (Duration, bool) {
        let configured = self.options.upstream_interval_min;
        let throttled = throttle.interval(now).filter(|interval| *interval > configured);
        (throttled.unwrap_or(configured), throttled.is_some())
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How fast the upstream may be asked at the moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceLimit {
    /// Requests per second, of all markets together.
    pub requests_per_second: f64,
    /// Whether the upstream's refusals brought this about; otherwise it is the configured rate.
    pub is_throttled: bool,
}

/// What an answer says about the upstream's speed.
fn kind_of(fault: Option<&Fault>) -> Answer {
    let Some(fault) = fault else { return Answer::Served };
    let is_overloaded = fault.status_code == Some(OVERLOADED);
    match fault.failure.class() {
        FailureClass::RateLimited => Answer::Refused,
        _ if is_overloaded && fault.retry_after.is_some() => Answer::Refused,
        _ if is_overloaded => Answer::Overloaded,
        FailureClass::NotFound | FailureClass::Rejected | FailureClass::InvalidAnswer => Answer::Served,
        FailureClass::Transport
        | FailureClass::Timeout
        | FailureClass::ServerError
        | FailureClass::Credentials
        | FailureClass::Cancelled => Answer::Silent,
    }
}

/// Moments at a distance from each other. A turn that is used late moves the next one only if it is later
/// than that, so that coarse timers do not slow the pace; what was missed is never made up for.
#[derive(Debug, Default)]
struct Slots {
    next: Option<Instant>,
}

impl Slots {
    fn take(&mut self, now: Instant, interval: Duration) -> Instant {
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + interval);
        at
    }
}

#[cfg(test)]
mod turns {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn pacing(options: PacingOptions) -> Pacing {
        Pacing::new(&Options { pacing: options, ..Options::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn turns_at_the_upstream_come_one_interval_after_another_whoever_takes_them() {
        let interval = Duration::from_millis(20);
        let pacing = pacing(PacingOptions { upstream_interval_min: interval, ..PacingOptions::default() });
        let begun = Instant::now();
        let turns = [(); 4].map(|()| pacing.take_turn().at.duration_since(begun));
        assert_eq!(turns, [0, 20, 40, 60].map(Duration::from_millis));
        // A turn used 15 ms late leaves the next one where it was; after a pause nothing is made up for.
        tokio::time::advance(Duration::from_millis(75)).await;
        assert_eq!(pacing.take_turn().at.duration_since(begun), Duration::from_millis(80));
        tokio::time::advance(Duration::from_secs(9)).await;
        let turns = [(); 2].map(|()| pacing.take_turn().at.duration_since(begun));
        assert_eq!(turns, [9_075, 9_095].map(Duration::from_millis));
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_of_what_a_market_has_to_wait_for_holds_for_that_market_alone() {
        let market_interval_min = Duration::from_secs(4);
        let pacing = pacing(PacingOptions { market_interval_min, ..PacingOptions::default() });
        let [us, de] = ["US", "DE"].map(|id| MarketId::new(id).unwrap());
        let turn = pacing.take_turn();
        let begun = turn.at;
        assert!(pacing.begin(&turn, Some(&us)));
        pacing.answered(Some(&us), begun, None);
        assert_eq!(pacing.not_before(&us), Some((begun + market_interval_min, WaitReason::Pacing)));
        assert_eq!(pacing.not_before(&de), None);
        let asked = Some(Duration::from_secs(1_000_000));
        let fault = Fault { retry_after: asked, ..Fault::new(FailureClass::RateLimited, "status 429") };
        pacing.answered(Some(&us), begun, Some(&fault));
        assert_eq!(pacing.not_before(&us), Some((begun + Duration::from_secs(60), WaitReason::RetryAfter)));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(pacing.not_before(&us), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_void_because_the_pace_fell_does_not_count_against_its_market() {
        let market_interval_min = Duration::from_secs(4);
        let pacing =
            pacing(PacingOptions { market_interval_min, adaptive: true, ..PacingOptions::default() });
        let us = MarketId::new("US").unwrap();
        let void = pacing.take_turn();
        let fault = Fault::new(FailureClass::RateLimited, "status 429");
        for fault in [None, Some(&fault)] {
            (0..20).for_each(|_| pacing.answered(None, void.at, fault));
        }
        assert!(!pacing.begin(&void, Some(&us)));
        let held = pacing.take_turn();
        assert!(pacing.begin(&held, Some(&us)));
        pacing.answered(Some(&us), held.at, None);
        assert_eq!(pacing.not_before(&us), Some((held.at + market_interval_min, WaitReason::Pacing)));
    }
}
