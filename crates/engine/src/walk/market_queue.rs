//! The markets of a session that are not being walked: those whose turn has not come, and parked ones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::Timestamp;
use tokio::time::Instant;

use crate::upstream::parking::Parked;
use crate::walk::activity::Activity;
use crate::walk::market_walk::MarketJob;
use crate::walk::report::{Report, SessionEnd, Walk};
use crate::walk::session::Work;

/// A probe is due this much earlier than said, so that a timer of coarser steps never comes too early.
const PROBE_EARLY: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Arc<MarketJob>>,
    /// The first to be probed is the first.
    parked: Vec<(Instant, Arc<MarketJob>)>,
}

impl Queue {
    /// The markets of a walk.
    pub(crate) async fn of(work: &Work, walk: Walk) -> Self {
        if walk.probe_at_once {
            work.parking.probe_at_once();
        }
        let mut queue = Self::default();
        for index in walk.markets {
            let Some(plan) = walk.plan.markets().get(index).cloned() else { continue };
            let parked = work.parking.parked(&plan.market);
            let job = Arc::new(MarketJob {
                index,
                plan,
                run: walk.run,
                pass: walk.pass.clone(),
                was_deferred: false,
            });
            match parked {
                Some(Parked { until, .. }) => queue.park(work, job, until).await,
                None => queue.waiting.push_back(job),
            }
        }
        queue
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.parked.is_empty()
    }

    /// A market's turn comes again after the others.
    pub(crate) async fn defer(&mut self, work: &Work, job: &MarketJob) {
        work.report(Report::MarketActivity { market: job.index, activity: Activity::Pending }).await;
        self.waiting.push_back(Arc::new(MarketJob { was_deferred: true, ..job.clone() }));
    }

    pub(crate) async fn park(&mut self, work: &Work, job: Arc<MarketJob>, until: Instant) {
        if let Some(Parked { trouble, since, .. }) = work.parking.parked(&job.plan.market) {
            let activity = Activity::Parked { reason: trouble.reason, since, until: timestamp(work, until) };
            work.report(Report::MarketActivity { market: job.index, activity }).await;
        }
        self.parked.push((until, job));
        self.parked.sort_by_key(|(until, job)| (*until, job.index));
    }

    /// When the first probe is due.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.parked.first().map(|(until, _)| *until)
    }

    /// A market to probe if that is due, or else the next one.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Arc<MarketJob>> {
        if self.earliest().is_some_and(|until| until <= now + PROBE_EARLY) {
            return Some(self.parked.remove(0).1);
        }
        self.waiting.pop_front()
    }

    /// How the session ends when nothing is walked any more and nobody asked for it.
    pub(crate) fn end(&self, work: &Work) -> SessionEnd {
        let Some((until, job)) = self.parked.first() else { return SessionEnd::Walked };
        let market = &job.plan.market;
        let reason =
            work.parking.parked(market).map_or_else(String::new, |parked| format!(": {}", parked.trouble));
        let message = match self.parked.len() {
            1 => format!("the upstream is unwell: the one unfinished market, {market}, is parked{reason}"),
            count => format!(
                "the upstream is unwell: all {count} unfinished markets are parked, {market} the first to be \
                 probed again{reason}"
            ),
        };
        SessionEnd::Parked { message, until: timestamp(work, *until) }
    }
}

/// The wall-clock time of an instant, rounded up.
fn timestamp(work: &Work, at: Instant) -> Timestamp {
    let rounding = Duration::from_millis(1);
    work.clock.now().plus(at.saturating_duration_since(Instant::now()).saturating_add(rounding))
}
