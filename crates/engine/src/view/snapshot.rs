//! What readers see: a copy of where the run is, taken without touching the engine's task or the store.

mod forecast;

use price_cache_domain::{
    Analytics, MarketId, MarketPlan, Outcome, Overcounted, Pass, Progress, RetryFilter, Run, RunFacts,
    Timestamp,
};
use price_cache_estimate::Pace;

use crate::walk::activity::Activity;

pub use forecast::OverallPace;

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
    /// When its last product was done or, if none was since, its walk began. `None` before the first.
    pub(crate) last_step_at: Option<Timestamp>,
    /// Failed products still to be tried again in this pass.
    pub retries_left: u64,
    /// Products that had a transient failure and was not retried at the end of its market yet.
    pub end_of_market_retries_left: u64,
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
            last_step_at: None,
            retries_left: 0,
            end_of_market_retries_left: 0,
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

    /// Counts the outcome of a product; `replaced` is its earlier outcome in the same run.
    pub(crate) fn count(
        &mut self,
        facts: &RunFacts,
        replaced: Option<&Outcome>,
        outcome: &Outcome,
    ) -> Result<(), Overcounted> {
        self.progress.count(replaced, outcome)?;
        // What is recorded again may have failed in a pass before this one, and be wanted once more.
        let is_wanted = |outcome: &Outcome| {
            !outcome.is_success() && facts.pass().wants(facts.id(), &self.market, Some(outcome))
        };
        let counted_anew = |count: u64, counts: &dyn Fn(&Outcome) -> bool| {
            (count + u64::from(counts(outcome))).saturating_sub(u64::from(replaced.is_some_and(counts)))
        };
        self.retries_left = counted_anew(self.retries_left, &is_wanted);
        self.end_of_market_retries_left =
            counted_anew(self.end_of_market_retries_left, &Outcome::awaits_end_of_market_retry);
        Ok(())
    }

    /// Returns the products that this pass still has to fetch, end-of-market retries included where there are any.
    pub fn to_do(&self, pass: &Pass, end_of_market_retry: bool) -> u64 {
        let at_end = if end_of_market_retry { self.end_of_market_retries_left } else { 0 };
        self.retries_left + if pass.unfinished { self.progress.remaining() + at_end } else { 0 }
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
    /// Whether the failed products of a market are tried once more at its end.
    pub end_of_market_retry: bool,
}

impl Snapshot {
    /// Totals over the markets.
    pub fn analytics(&self) -> Analytics {
        self.markets.iter().map(|market| &market.progress).sum()
    }

    /// Whether all that a market still does is to look at failed products a second time.
    pub fn is_in_end_of_market_retry(&self, market: &MarketSnapshot) -> bool {
        let is_under_way = match market.activity {
            Activity::Active | Activity::Waiting { .. } | Activity::Parked { .. } => true,
            Activity::Pending | Activity::Done => false,
        };
        let has_rest = market.progress.remaining() > 0 || market.retries_left > 0;
        self.end_of_market_retry && is_under_way && !has_rest && market.end_of_market_retries_left > 0
    }
}
