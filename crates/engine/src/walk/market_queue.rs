//! The markets of a session that are not being walked: those whose turn has not come, and parked ones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{Clock, Timestamp};
use tokio::time::Instant;

use crate::upstream::circuit::OpenCircuit;
use crate::walk::activity::Activity;
use crate::walk::market_job::MarketJob;
use crate::walk::report::{SessionEnd, Walk};
use crate::walk::reporter::Reporter;
use crate::walk::upstream_access::UpstreamAccess;

/// How much earlier than due a canary request may be sent: a timer of coarser steps must not come too early for it.
const CANARY_EARLY: Duration = Duration::from_millis(20);

/// The queue of one session.
pub(crate) struct Queue<'a> {
    upstream: &'a UpstreamAccess,
    reporter: &'a Reporter,
    clock: &'a dyn Clock,
    waiting: VecDeque<Arc<MarketJob>>,
    /// In the order of their canary requests.
    parked: Vec<(Instant, Arc<MarketJob>)>,
}

impl<'a> Queue<'a> {
    pub(crate) const fn new(
        upstream: &'a UpstreamAccess,
        reporter: &'a Reporter,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { upstream, reporter, clock, waiting: VecDeque::new(), parked: Vec::new() }
    }

    /// Adds the markets of a walk.
    pub(crate) async fn fill(&mut self, walk: Walk) {
        for index in walk.markets {
            let Some(plan) = walk.plan.markets().get(index).cloned() else { continue };
            self.add(Arc::new(MarketJob { index, plan, run: walk.run, pass: walk.pass.clone() })).await;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.parked.is_empty()
    }

    /// Adds a market behind the others.
    pub(crate) async fn defer(&mut self, job: Arc<MarketJob>) {
        self.reporter.activity(job.index, Activity::Pending).await;
        self.waiting.push_back(job);
    }

    /// Adds a market: by the time of its canary request if it is parked, or else behind the others.
    pub(crate) async fn add(&mut self, job: Arc<MarketJob>) {
        let open = self.upstream.with(|machine, _| machine.parked(&job.plan.market).cloned());
        let Some(OpenCircuit { trouble, since, until, .. }) = open else {
            self.waiting.push_back(job);
            return;
        };
        let until = until.into();
        let shown = Activity::Parked { reason: trouble.reason, since, until: self.timestamp(until) };
        self.reporter.activity(job.index, shown).await;
        self.parked.push((until, job));
        self.parked.sort_by_key(|(until, job)| (*until, job.index));
    }

    /// Returns when the first canary request is due.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.parked.first().map(|(until, _)| *until)
    }

    /// Returns a market whose canary request is due, or else the next one.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Arc<MarketJob>> {
        if self.earliest().is_some_and(|until| until <= now + CANARY_EARLY) {
            return Some(self.parked.remove(0).1);
        }
        self.waiting.pop_front()
    }

    /// Returns how the session ends when nothing is walked any more and nobody asked for it.
    pub(crate) fn end(&self) -> SessionEnd {
        let Some((until, job)) = self.parked.first() else { return SessionEnd::Walked };
        let market = &job.plan.market;
        let trouble =
            self.upstream.with(|machine, _| machine.parked(market).map(|open| open.trouble.clone()));
        let reason = trouble.map_or_else(String::new, |trouble| format!(": {trouble}"));
        let message = match self.parked.len() {
            1 => format!("the upstream is failing: the only unfinished market, {market}, is parked{reason}"),
            count => format!(
                "the upstream is failing: all {count} unfinished markets are parked, and {market} is probed \
                 first{reason}"
            ),
        };
        SessionEnd::Parked { message, until: self.timestamp(*until) }
    }

    /// Returns the wall-clock time of an instant, rounded up.
    fn timestamp(&self, at: Instant) -> Timestamp {
        let rounding = Duration::from_millis(1);
        self.clock.now().plus(at.saturating_duration_since(Instant::now()).saturating_add(rounding))
    }
}
