//! A discrete-event simulation of markets that walk and an upstream that answers. No clock, no threads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use price_cache_domain::{Fault, MarketId, Timestamp};

use crate::Options;
use crate::upstream::decision::Next;
use crate::upstream::machine::Upstream;
use crate::upstream::now::Now;
use crate::upstream::observation::{Observation, RequestKind};

/// Answers a request that arrives this long after the beginning.
pub(super) type Answers = Box<dyn FnMut(Duration) -> Result<(), Fault>>;

/// Something that happens to a market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Ask,
    Arrive,
    Answer,
}

/// A request as the upstream saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: Duration,
    pub(super) is_served: bool,
}

/// What became of all requests.
pub(super) struct World {
    start: Instant,
    upstream: Upstream,
    answers: Answers,
    latency: Duration,
    events: BinaryHeap<Reverse<(Duration, u64, usize, Step)>>,
    sequence: u64,
    markets: Vec<MarketId>,
    /// When each market sent its present request, and what comes of it.
    sent: Vec<(Duration, Result<(), Fault>)>,
    random: fastrand::Rng,
    pub(super) arrivals: Vec<Arrival>,
}

impl World {
    pub(super) fn new(options: Options, markets: usize, latency: Duration, answers: Answers) -> Self {
        let start = Instant::now();
        let mut world = Self {
            start,
            upstream: Upstream::new(options, start),
            answers,
            latency,
            events: BinaryHeap::new(),
            sequence: 0,
            markets: (0..markets).map(|number| MarketId::new(format!("M{number}")).unwrap()).collect(),
            sent: vec![(Duration::ZERO, Ok(())); markets],
            random: fastrand::Rng::with_seed(7),
            arrivals: Vec::new(),
        };
        (0..markets).for_each(|market| world.schedule(Duration::ZERO, market, Step::Ask));
        world
    }

    fn schedule(&mut self, at: Duration, market: usize, step: Step) {
        self.sequence += 1;
        self.events.push(Reverse((at, self.sequence, market, step)));
    }

    /// Lets everything happen up to a time.
    pub(super) fn run_until(&mut self, end: Duration) {
        while let Some(Reverse((at, _, market, step))) = self.events.peek().copied() {
            if at > end {
                return;
            }
            self.events.pop();
            self.step(at, market, step);
        }
    }

    fn step(&mut self, at: Duration, market: usize, step: Step) {
        let now = self.start + at;
        match step {
            Step::Ask => match self.upstream.ready(Some(&self.markets[market]), now) {
                Some((until, _)) => self.schedule(until.duration_since(self.start), market, Step::Ask),
                None => {
                    self.sent[market].0 = at;
                    self.schedule(at + self.latency / 2, market, Step::Arrive);
                }
            },
            Step::Arrive => {
                let answer = (self.answers)(at);
                self.arrivals.push(Arrival { at, is_served: answer.is_ok() });
                self.sent[market].1 = answer;
                self.schedule(at + self.latency - self.latency / 2, market, Step::Answer);
            }
            Step::Answer => {
                let (sent, answer) = &self.sent[market];
                let observation = Observation {
                    kind: RequestKind::Price,
                    sent: self.start + *sent,
                    fault: answer.as_ref().err(),
                    has_canary: false,
                };
                let wall = Timestamp::from_millis(0).plus(at);
                let jitter = self.random.f64();
                let decision = self.upstream.observe(
                    Some(&self.markets[market]),
                    &observation,
                    Now { instant: now, wall },
                    jitter,
                );
                let next_at = match decision.next {
                    Next::Park(until) => until.duration_since(self.start),
                    _ => at,
                };
                self.schedule(next_at, market, Step::Ask);
            }
        }
    }

    /// Requests served per second between two times, and the percentage of those sent that were refused.
    pub(super) fn served(&self, from: Duration, to: Duration) -> (f64, f64) {
        let within = self.arrivals.iter().filter(|arrival| (from..to).contains(&arrival.at));
        let (mut served, mut refused) = (0_u32, 0_u32);
        within.for_each(|arrival| if arrival.is_served { served += 1 } else { refused += 1 });
        let percent = f64::from(refused) / f64::from((served + refused).max(1)) * 100.0;
        (f64::from(served) / (to - from).as_secs_f64(), percent)
    }

    /// Returns when the first request was served after a time.
    pub(super) fn first_served_after(&self, time: Duration) -> Duration {
        let mut served = self.arrivals.iter().filter(|arrival| arrival.is_served && arrival.at >= time);
        served.next().map_or(Duration::MAX, |arrival| arrival.at)
    }
}
