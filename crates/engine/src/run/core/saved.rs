//! What follows once a new state is stored, or could not be: the next session, the answers, another try.

use std::sync::Arc;

use price_cache_domain::{Decision, Event, EventKind, Run, RunTable, StoreError, Timestamp};

use super::Core;
use super::commands::accept;
use super::messages::Effect;
use super::reply::Reply;
use crate::error::CommandError;
use crate::view::snapshot::MarketSnapshot;
use crate::walk::activity::Activity;
use crate::walk::report::{SessionEnd, Walk};

impl Core {
    /// Decides what follows from a new state that is stored, or could not be.
    pub(crate) fn saved(
        &mut self,
        decision: Decision<RunTable>,
        result: Result<(), StoreError>,
        reply: Option<Reply>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let kind = decision.event().kind();
        if let Err(error) = result {
            // A run that stops must stop even where that cannot be stored: found unfinished at the next
            // start-up, it is paused then.
            let must_hold = matches!(kind, EventKind::Stop | EventKind::Fail);
            tracing::error!(%error, event = %kind, "the new state of the run could not be stored");
            if !must_hold {
                return self.not_saved(kind, error, reply, now);
            }
        }
        let before = self.machine.state().latest_id();
        let filter = match decision.event() {
            Event::RetryFailed { filter } => Some(filter.clone()),
            _ => None,
        };
        if let Err(stale) = self.machine.commit(decision) {
            tracing::error!(%stale, "defect");
            return Vec::new();
        }
        let run = self.machine.state().clone();
        let new_run = run.latest_id() != before || run.facts().is_none();
        self.snapshot.send_modify(|snapshot| {
            snapshot.run = run.clone();
            if new_run {
                snapshot.markets.clear();
            }
            // Nobody may see the new state with fields of the old one.
            match kind {
                EventKind::Fail => {
                    snapshot.retry_at = retry_of(&run);
                    snapshot.stop_requested = false;
                }
                EventKind::Stop => {
                    snapshot.retry_at = None;
                    snapshot.stop_requested = false;
                }
                EventKind::LastMarketDone => snapshot.stop_requested = false,
                EventKind::Start | EventKind::RetryDue | EventKind::RetryFailed | EventKind::Reset => {
                    snapshot.retry_at = None;
                }
                EventKind::PlanComplete
                | EventKind::ProductDone
                | EventKind::MarketDone
                | EventKind::ClearLogs => {}
            }
            if let Some(filter) = filter {
                let markets = snapshot.markets.iter_mut();
                markets.for_each(|market| market.retries_left = market.failed_matching(&filter));
            }
        });
        if new_run {
            self.not_recorded.clear();
        }
        if new_run || kind == EventKind::ClearLogs {
            self.requests.clear();
        }
        let mut effects = self.after(kind, &run, now);
        self.events.state_changed();
        effects.extend(reply.map(|reply| accept(reply, kind, run.status())));
        effects
    }

    /// What follows a transition that holds now.
    fn after(&mut self, kind: EventKind, run: &Run, now: Timestamp) -> Vec<Effect> {
        match kind {
            EventKind::Start | EventKind::RetryDue | EventKind::RetryFailed => {
                if kind != EventKind::RetryDue {
                    self.automatic_retries = 0;
                }
                let mut effects = vec![Effect::SetRetry(None)];
                effects.extend(self.launch(run, kind, now));
                effects
            }
            EventKind::PlanComplete => {
                self.adopt_plan(run);
                match &self.stopping {
                    Some(stopping) => {
                        let (reason, actor) = (stopping.reason, stopping.actor.clone());
                        self.decide(Event::Stop { reason }, actor, None, now)
                    }
                    None => self.launch(run, kind, now),
                }
            }
            EventKind::Fail => {
                let mut effects = vec![Effect::SetRetry(retry_of(run))];
                effects.extend(self.rested(run));
                effects
            }
            EventKind::Stop => {
                let mut effects = vec![Effect::SetRetry(None)];
                effects.extend(self.rested(run));
                effects
            }
            EventKind::LastMarketDone => self.rested(run),
            EventKind::Reset => vec![Effect::SetRetry(None)],
            EventKind::ProductDone | EventKind::MarketDone | EventKind::ClearLogs => Vec::new(),
        }
    }

    fn adopt_plan(&mut self, run: &Run) {
        let Some(plan) = run.plan() else { return };
        self.snapshot.send_modify(|snapshot| {
            snapshot.markets = plan.markets().iter().map(MarketSnapshot::new).collect();
        });
    }

    /// Starts the session that the state calls for.
    fn launch(&mut self, run: &Run, kind: EventKind, now: Timestamp) -> Vec<Effect> {
        let Some(facts) = run.facts() else { return Vec::new() };
        self.session_running = true;
        let Some(plan) = run.plan() else { return vec![Effect::Plan(facts.id())] };
        let not_recorded = std::mem::take(&mut self.not_recorded);
        let mut markets = Vec::new();
        let mut were_accepted = false;
        self.snapshot.send_modify(|snapshot| {
            let end_of_market_retry = snapshot.end_of_market_retry;
            for (index, market) in snapshot.markets.iter_mut().enumerate() {
                let waits = not_recorded.iter().any(|done| done.market == index);
                let to_do = waits || market.to_do(facts.pass(), end_of_market_retry) > 0;
                market.activity = match market.activity {
                    parked @ Activity::Parked { .. } if to_do => parked,
                    _ if to_do => Activity::Pending,
                    _ => Activity::Done,
                };
                markets.extend(to_do.then_some(index));
                were_accepted |= market.progress.successful() > 0;
            }
        });
        if markets.is_empty() {
            return self.session_ended(SessionEnd::Walked, now);
        }
        let (run, pass, plan) = (facts.id(), facts.pass().clone(), Arc::clone(plan));
        let probe_at_once = kind != EventKind::RetryDue;
        let walk = Walk { run, pass, plan, markets, probe_at_once, were_accepted };
        vec![Effect::Walk { walk, not_recorded }]
    }

    fn not_saved(
        &mut self,
        kind: EventKind,
        error: StoreError,
        reply: Option<Reply>,
        now: Timestamp,
    ) -> Vec<Effect> {
        match (kind, reply) {
            (_, Some(reply)) => vec![Effect::Answer(reply, Err(CommandError::Store(error)))],
            // The run stays as it is and tries again later.
            (EventKind::RetryDue, None) => {
                let at = self.next_automatic_retry(now);
                vec![self.set_retry(Some(at))]
            }
            (_, None) => self.fail(error.into(), now),
        }
    }
}

/// When a run in ERROR tries again by itself.
const fn retry_of(run: &Run) -> Option<Timestamp> {
    match run {
        Run::Error(error) => error.failure().retry_at,
        Run::Idle(_) | Run::Initializing(_) | Run::Processing(_) | Run::Paused(_) | Run::Completed(_) => None,
    }
}
