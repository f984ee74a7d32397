//! What readers see: a copy of where the run is, taken without touching the engine's task or the store.

use std::time::Duration;

use price_cache_domain::{
    Analytics, FailureClass, MarketId, MarketPlan, Pass, Progress, RetryFilter, Run, Timestamp,
};

use crate::eta::{Estimate, Pace, seconds};
use crate::parking::ParkReason;

/// Why a market waits before its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// The upstream asked for it.
    RetryAfter,
    /// The last attempt failed so, and the next one keeps its distance.
    Backoff(FailureClass),
    /// The configured delay between requests.
    Pacing,
}

/// What a market is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Its turn has not come, or the run is not under way.
    Pending,
    /// A request is in flight or about to be.
    Active,
    /// The next request comes at `until`.
    Waiting {
        /// Why.
        reason: WaitReason,
        /// When it ends.
        until: Timestamp,
    },
    /// Set aside because the upstream is unwell, and probed with one product as soon as there is room
    /// after `until`.
    Parked {
        /// Why.
        reason: ParkReason,
        /// When the probe is due.
        until: Timestamp,
    },
    /// No product is wanted any more.
    Done,
}

/// One market of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketSnapshot {
    /// The market.
    pub market: MarketId,
    /// Its counters.
    pub progress: Progress,
    /// What it is doing.
    pub activity: Activity,
    /// Its pace.
    pub pace: Pace,
    /// Failed products still to be tried again in this pass.
    pub retries_left: u64,
    /// Failed requests that were not repeated because the run's retry budget was used up, since the
    /// program began.
    pub retries_denied: u64,
    /// Whether the log was told of a low success rate, so that it is told once.
    pub(crate) low_success_rate_told: bool,
}

impl MarketSnapshot {
    /// A market of a plan, nothing done.
    pub(crate) fn new(plan: &MarketPlan) -> Self {
        Self {
            market: plan.market.clone(),
            progress: Progress::new(plan.total),
            activity: Activity::Pending,
            pace: Pace::new(),
            retries_left: 0,
            retries_denied: 0,
            low_success_rate_told: false,
        }
    }

    /// A market whose products are not listed yet.
    pub(crate) fn unplanned(market: MarketId) -> Self {
        Self::new(&MarketPlan { market, list: 0, pages: 0, total: 0 })
    }

    /// How many of its failed products a filter lets through.
    pub(crate) fn failed_matching(&self, filter: &RetryFilter) -> u64 {
        match (&filter.market, filter.class) {
            (Some(wanted), _) if *wanted != self.market => 0,
            (_, Some(class)) => self.progress.failed_with(class),
            (_, None) => self.progress.failed(),
        }
    }

    /// Products this pass still has to fetch.
    pub fn to_do(&self, pass: &Pass) -> u64 {
        self.retries_left + if pass.unfinished { self.progress.remaining() } else { 0 }
    }
}

/// Where the run is.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The run.
    pub run: Run,
    /// The markets in the order of the plan; while the plan is being made, those listed so far.
    pub markets: Vec<MarketSnapshot>,
    /// A stop was asked for and takes effect as soon as what was fetched is on disk.
    pub stop_requested: bool,
    /// When the run goes on by itself: after an ERROR, or where an interrupted one could not be taken up.
    pub retry_at: Option<Timestamp>,
    /// How many markets are walked at a time.
    pub parallel_markets: usize,
}

impl Snapshot {
    /// Totals over the markets.
    pub fn analytics(&self) -> Analytics {
        self.markets.iter().map(|market| &market.progress).sum()
    }

    /// How long a market will take once its turn has come, from its own pace or else from that of all.
    pub fn market_estimate(&self, market: &MarketSnapshot, overall: OverallPace) -> Option<Estimate> {
        let pass = self.run.facts()?.pass();
        let to_do = market.to_do(pass);
        market.pace.estimate(to_do).or_else(|| overall.estimate(to_do))
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

    /// How long the rest of the run will take: the markets' estimates shared out over those walked at a
    /// time, and no less than the longest of them. `None` while nothing is known or no run exists.
    pub fn total_estimate(&self) -> Option<Estimate> {
        self.run.plan()?;
        let overall = self.overall_pace();
        let mut sum = Estimate::DONE;
        let mut longest = Estimate::DONE;
        for market in &self.markets {
            let estimate = self.market_estimate(market, overall)?;
            sum = each(sum, estimate, Duration::saturating_add);
            longest = each(longest, estimate, Duration::max);
        }
        let lanes = u32::try_from(self.parallel_markets).unwrap_or(u32::MAX).max(1);
        Some(each(sum, longest, |sum, longest| (sum / lanes).max(longest)))
    }
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
