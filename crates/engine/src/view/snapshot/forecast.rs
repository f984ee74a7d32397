//! When a market and the run will be done: what is left at the pace so far, and what holds it up now.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use price_cache_domain::{Run, RunFailureClass, Timestamp};
use price_cache_estimate::{Estimate, seconds};

use super::{MarketSnapshot, Snapshot};
use crate::upstream::wait::WaitReason;
use crate::walk::activity::Activity;

/// A product that takes more than this multiple of the usual time holds its market up.
const HELD_UP_TIMES: f64 = 6.0;

/// Nine in ten times, what has lasted for some time goes on for at least this part of it, and at most for the
/// inverse of it: see [`outage`].
const LASTS_ON_PART: u32 = 9;

/// The part of the variance of what markets take that they have in common. Ranges of markets that slow down each
/// on its own are somewhat too wide with a half, those of markets that all slow down at once about right.
const SHARED_PART: f64 = 0.5;

/// What is left of a market.
#[derive(Clone, Copy)]
struct Rest {
    /// What holds it up now.
    held_up: Estimate,
    /// What it takes then.
    work: Estimate,
    turn: Turn,
}

/// When a market is walked, in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// It is, and holds a place while it is held up.
    Now,
    Later,
    /// When it is no longer held up, and gave its place to others meanwhile.
    Released,
}

/// What is done one after another in one place. How far off its parts will be has to do with each other only
/// in part: the upstream is the same, the markets are not. Chains are ordered by when they are expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Chain {
    /// If all are off in the same way.
    together: Estimate,
    /// If each is off in its own.
    apart: Estimate,
}

impl Chain {
    fn with(self, Rest { held_up, work, .. }: Rest) -> Self {
        let start = |free| each(free, held_up, Duration::max);
        Self {
            together: each(start(self.together), work, Duration::saturating_add),
            apart: add_apart(start(self.apart), work),
        }
    }

    fn end(self) -> Estimate {
        let Self { together, apart } = self;
        let mix = |together: Duration, apart: Duration| {
            let [together, apart] = [together, apart].map(|off| off.as_secs_f64().powi(2));
            seconds((SHARED_PART * together + (1.0 - SHARED_PART) * apart).sqrt())
        };
        around(together.expected, mix(below(together), below(apart)), mix(above(together), above(apart)))
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self { together: Estimate::DONE, apart: Estimate::DONE }
    }
}

impl Snapshot {
    /// How long a market will take once its turn has come, from its own pace or else from that of all, and
    /// what holds it up at `now` included.
    pub fn market_estimate(
        &self,
        market: &MarketSnapshot,
        overall: OverallPace,
        now: Timestamp,
    ) -> Option<Estimate> {
        Some(Chain::default().with(self.rest(market, overall, now)?).end())
    }

    /// How long the rest of the run will take: the markets in their order, as many at a time as are walked at
    /// a time. `None` while nothing is known or no run exists.
    pub fn total_estimate(&self, now: Timestamp) -> Option<Estimate> {
        self.run.plan()?;
        let overall = self.overall_pace();
        let rests = self.markets.iter().map(|market| self.rest(market, overall, now));
        let mut rests: Vec<Rest> = rests.collect::<Option<_>>()?;
        rests.retain(|rest| rest.work != Estimate::DONE);
        rests.sort_by_key(|rest| rest.turn);
        // Each market takes the place that is free first; the run ends with the longest chain.
        let places = self.parallel_markets.min(rests.len()).max(1);
        let mut chains: BinaryHeap<_> = std::iter::repeat_n(Reverse(Chain::default()), places).collect();
        for rest in rests {
            let Reverse(first_free) = chains.pop().unwrap_or_default();
            chains.push(Reverse(first_free.with(rest)));
        }
        Some(chains.iter().fold(Estimate::DONE, |end, Reverse(chain)| each(end, chain.end(), Duration::max)))
    }

    fn rest(&self, market: &MarketSnapshot, overall: OverallPace, now: Timestamp) -> Option<Rest> {
        let pass = self.run.facts()?.pass();
        let to_do = match market.activity {
            Activity::Done => 0,
            Activity::Pending | Activity::Active | Activity::Waiting { .. } | Activity::Parked { .. } => {
                market.to_do(pass, self.end_of_market_retry)
            }
        };
        let work = market.pace.estimate(to_do).or_else(|| overall.estimate(to_do))?;
        let turn = match market.activity {
            Activity::Active | Activity::Waiting { .. } => Turn::Now,
            Activity::Pending | Activity::Done => Turn::Later,
            Activity::Parked { .. } => Turn::Released,
        };
        let held_up = if to_do == 0 { Estimate::DONE } else { self.held_up(market, now) };
        Some(Rest { held_up, work, turn })
    }

    fn held_up(&self, market: &MarketSnapshot, now: Timestamp) -> Estimate {
        let held_up = match market.activity {
            Activity::Parked { since, until, .. } => outage(now.since(since), until.since(now)),
            // What comes between all requests is in the pace.
            Activity::Waiting {
                reason: WaitReason::Pacing | WaitReason::Throttled | WaitReason::SlowAnswers,
                ..
            }
            | Activity::Pending
            | Activity::Done => Estimate::DONE,
            Activity::Waiting { reason: WaitReason::RetryAfter | WaitReason::Backoff(_), until } => {
                certain(until.since(now))
            }
            Activity::Active => {
                let since = market.last_step_at.map_or(Duration::ZERO, |since| now.since(since));
                let usual = market.pace.mean_seconds().unwrap_or(f64::INFINITY);
                let is_held_up = since.as_secs_f64() > usual * HELD_UP_TIMES;
                if is_held_up { outage(since, Duration::ZERO) } else { Estimate::DONE }
            }
        };
        let Run::Error(error) = &self.run else { return held_up };
        let retried_in = self.retry_at.map_or(Duration::ZERO, |at| at.since(now));
        // Also after a restart, when nobody knows any more which markets were parked.
        let run_held_up = match error.failure().class {
            RunFailureClass::Upstream => outage(now.since(error.at()), retried_in),
            _ => certain(retried_in),
        };
        each(held_up, run_held_up, Duration::max)
    }

    /// What the markets with a pace take for a product.
    pub fn overall_pace(&self) -> OverallPace {
        let mut overall = OverallPace::default();
        let mut sum = 0.0;
        for each in self.markets.iter().filter_map(|market| market.pace.mean_seconds()) {
            overall.known += 1;
            sum += each;
            overall.mean_seconds = sum / f64::from(overall.known);
            overall.low_seconds = if overall.known == 1 { each } else { overall.low_seconds.min(each) };
            overall.high_seconds = overall.high_seconds.max(each);
        }
        overall
    }
}

/// How much longer an outage goes on that has lasted for some time, when nothing else is known of it but that
/// nobody looks before `probe_in`. Seen at a random moment, it is as likely before its middle as after it, and in
/// eight of ten cases between its first and its last tenth (Gott, "Implications of the Copernican principle for
/// our future prospects", Nature 363, 1993).
fn outage(lasted: Duration, probe_in: Duration) -> Estimate {
    Estimate {
        expected: lasted.max(probe_in),
        low: (lasted / LASTS_ON_PART).max(probe_in),
        high: lasted.saturating_mul(LASTS_ON_PART).max(probe_in),
    }
}

/// One after the other, when how far off the one will be says nothing about the other.
fn add_apart(first: Estimate, second: Estimate) -> Estimate {
    let off = |first: Duration, second: Duration| seconds(first.as_secs_f64().hypot(second.as_secs_f64()));
    around(
        first.expected.saturating_add(second.expected),
        off(below(first), below(second)),
        off(above(first), above(second)),
    )
}

const fn around(expected: Duration, below: Duration, above: Duration) -> Estimate {
    Estimate { expected, low: expected.saturating_sub(below), high: expected.saturating_add(above) }
}

const fn below(estimate: Estimate) -> Duration {
    estimate.expected.saturating_sub(estimate.low)
}

const fn above(estimate: Estimate) -> Duration {
    estimate.high.saturating_sub(estimate.expected)
}

const fn certain(wait: Duration) -> Estimate {
    Estimate { expected: wait, low: wait, high: wait }
}

/// A market nothing is known of may be faster or slower than the mean of the others by this factor.
const UNKNOWN_MARKET_FACTOR: f64 = 1.5;

/// The pace of a market of which nothing is known, from the others: every market counts the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OverallPace {
    known: u32,
    mean_seconds: f64,
    low_seconds: f64,
    high_seconds: f64,
}

impl OverallPace {
    /// How long `remaining` products will take one after another; `None` while nothing is known of any
    /// market, unless nothing remains.
    pub fn estimate(self, remaining: u64) -> Option<Estimate> {
        if remaining == 0 {
            return Some(Estimate::DONE);
        }
        let remaining = remaining as f64;
        (self.known > 0).then(|| Estimate {
            expected: seconds(self.mean_seconds * remaining),
            low: seconds(self.low_seconds.min(self.mean_seconds / UNKNOWN_MARKET_FACTOR) * remaining),
            high: seconds(self.high_seconds.max(self.mean_seconds * UNKNOWN_MARKET_FACTOR) * remaining),
        })
    }
}

fn each(first: Estimate, second: Estimate, combine: impl Fn(Duration, Duration) -> Duration) -> Estimate {
    Estimate {
        expected: combine(first.expected, second.expected),
        low: combine(first.low, second.low),
        high: combine(first.high, second.high),
    }
}
