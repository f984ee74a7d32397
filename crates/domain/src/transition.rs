//! The one table that decides every change of a run's state. Pure and total: every pair of state and
//! event stands here, and the compiler demands a decision for each one that is added.

use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, EventKind};
use crate::machine::Table;
use crate::run::{Completed, Errored, Idle, Initializing, Paused, Processing, Run, RunFacts, RunStatus};
use crate::{Pass, PauseReason, Plan, RunFailure, RunId, Timestamp};

/// An event that the run's state does not allow. The run is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event} is not possible while the run is {from}")]
pub struct IllegalTransition {
    /// The state.
    pub from: RunStatus,
    /// What was refused.
    pub event: EventKind,
}

/// The state that follows `run` when `event` happens at `now`.
///
/// ```
/// use price_cache_domain::{Event, Run, RunId, RunStatus, Timestamp, transition};
///
/// let now = Timestamp::from_millis(0);
/// let start = || Event::Start { run: RunId::from_number(1) };
/// let running = transition(&Run::new(), start(), now)?;
/// assert_eq!(running.status(), RunStatus::Initializing);
/// let refused = transition(&running, start(), now).unwrap_err();
/// assert_eq!(refused.to_string(), "start is not possible while the run is INITIALIZING");
/// # Ok::<(), price_cache_domain::IllegalTransition>(())
/// ```
#[expect(clippy::too_many_lines, reason = "one table, read as a whole")]
pub fn transition(run: &Run, event: Event, now: Timestamp) -> Result<Run, IllegalTransition> {
    let illegal = Err(IllegalTransition { from: run.status(), event: event.kind() });
    match (run, event) {
        // Any state
        (
            Run::Idle(_)
            | Run::Initializing(_)
            | Run::Processing(_)
            | Run::Paused(_)
            | Run::Completed(_)
            | Run::Error(_),
            Event::ClearLogs,
        ) => Ok(run.clone().with_logs_cleared(now)),

        // IDLE
        (Run::Idle(_), Event::Start { run }) => Ok(begin(run, now)),
        (Run::Idle(idle), Event::Reset) => Ok(Run::Idle(idle.clone())),
        (
            Run::Idle(_),
            Event::PlanComplete { .. }
            | Event::ProductDone
            | Event::MarketDone
            | Event::LastMarketDone
            | Event::Stop { .. }
            | Event::Fail { .. }
            | Event::RetryDue
            | Event::RetryFailed { .. },
        ) => illegal,

        // INITIALIZING
        (Run::Initializing(state), Event::PlanComplete { plan }) => {
            Ok(Run::Processing(Processing { facts: state.facts.clone(), since: state.since, plan }))
        }
        (Run::Initializing(state), Event::Stop { reason }) => {
            Ok(pause(&state.facts, now.since(state.since), None, reason, now))
        }
        (Run::Initializing(state), Event::Fail { failure }) => {
            Ok(fail(&state.facts, now.since(state.since), None, failure, now))
        }
        (
            Run::Initializing(_),
            Event::Start { .. }
            | Event::ProductDone
            | Event::MarketDone
            | Event::LastMarketDone
            | Event::RetryDue
            | Event::RetryFailed { .. }
            | Event::Reset,
        ) => illegal,

        // PROCESSING
        (Run::Processing(state), Event::ProductDone | Event::MarketDone) => {
            Ok(Run::Processing(state.clone()))
        }
        (Run::Processing(state), Event::LastMarketDone) => Ok(Run::Completed(Completed {
            facts: rested(&state.facts, now.since(state.since)),
            at: now,
            plan: Arc::clone(&state.plan),
        })),
        (Run::Processing(state), Event::Stop { reason }) => {
            Ok(pause(&state.facts, now.since(state.since), Some(&state.plan), reason, now))
        }
        (Run::Processing(state), Event::Fail { failure }) => {
            Ok(fail(&state.facts, now.since(state.since), Some(&state.plan), failure, now))
        }
        (
            Run::Processing(_),
            Event::Start { .. }
            | Event::PlanComplete { .. }
            | Event::RetryDue
            | Event::RetryFailed { .. }
            | Event::Reset,
        ) => illegal,

        // PAUSED
        (Run::Paused(state), Event::Start { .. }) => {
            Ok(resume(&state.facts, state.facts.pass.with_unfinished(), state.plan.as_ref(), now))
        }
        // What a person stopped, only a person starts again.
        (Run::Paused(state), Event::RetryDue) => {
            if state.reason.may_resume_by_itself() {
                Ok(resume(&state.facts, state.facts.pass.clone(), state.plan.as_ref(), now))
            } else {
                illegal
            }
        }
        (Run::Paused(state), Event::RetryFailed { filter }) => match &state.plan {
            Some(plan) => Ok(resume(&state.facts, state.facts.pass.retrying(filter), Some(plan), now)),
            None => illegal,
        },
        // A run that would go on by itself no longer does.
        (Run::Paused(state), Event::Stop { reason }) => {
            if state.reason.may_resume_by_itself() {
                Ok(Run::Paused(Paused { reason, ..state.clone() }))
            } else {
                illegal
            }
        }
        (Run::Paused(state), Event::Reset) => Ok(idle_after(&state.facts)),
        (
            Run::Paused(_),
            Event::PlanComplete { .. }
            | Event::ProductDone
            | Event::MarketDone
            | Event::LastMarketDone
            | Event::Fail { .. },
        ) => illegal,

        // COMPLETED
        (Run::Completed(_), Event::Start { run }) => Ok(begin(run, now)),
        (Run::Completed(state), Event::RetryFailed { filter }) => {
            Ok(resume(&state.facts, state.facts.pass.retrying(filter), Some(&state.plan), now))
        }
        (Run::Completed(state), Event::Reset) => Ok(idle_after(&state.facts)),
        (
            Run::Completed(_),
            Event::PlanComplete { .. }
            | Event::ProductDone
            | Event::MarketDone
            | Event::LastMarketDone
            | Event::Stop { .. }
            | Event::Fail { .. }
            | Event::RetryDue,
        ) => illegal,

        // ERROR
        (Run::Error(state), Event::Start { .. }) => {
            Ok(resume(&state.facts, state.facts.pass.with_unfinished(), state.plan.as_ref(), now))
        }
        (Run::Error(state), Event::RetryDue) => {
            Ok(resume(&state.facts, state.facts.pass.clone(), state.plan.as_ref(), now))
        }
        (Run::Error(state), Event::RetryFailed { filter }) => match &state.plan {
            Some(plan) => Ok(resume(&state.facts, state.facts.pass.retrying(filter), Some(plan), now)),
            None => illegal,
        },
        // The automatic retry is called off, for good.
        (Run::Error(state), Event::Stop { .. }) => {
            let failure = RunFailure { retry_at: None, ..state.failure.clone() };
            Ok(Run::Error(Errored { failure, ..state.clone() }))
        }
        (Run::Error(state), Event::Reset) => Ok(idle_after(&state.facts)),
        (
            Run::Error(_),
            Event::PlanComplete { .. }
            | Event::ProductDone
            | Event::MarketDone
            | Event::LastMarketDone
            | Event::Fail { .. },
        ) => illegal,
    }
}

fn begin(run: RunId, now: Timestamp) -> Run {
    let facts = RunFacts {
        id: run,
        started_at: now,
        active_before: Duration::ZERO,
        pass: Pass::first(),
        logs_cleared_at: None,
    };
    Run::Initializing(Initializing { facts, since: now })
}

/// A run whose plan was not complete starts its plan over; nothing was fetched from it yet.
fn resume(facts: &RunFacts, pass: Pass, plan: Option<&Arc<Plan>>, now: Timestamp) -> Run {
    let facts = RunFacts { pass, ..facts.clone() };
    match plan {
        Some(plan) => Run::Processing(Processing { facts, since: now, plan: Arc::clone(plan) }),
        None => Run::Initializing(Initializing { facts, since: now }),
    }
}

fn pause(
    facts: &RunFacts,
    active: Duration,
    plan: Option<&Arc<Plan>>,
    reason: PauseReason,
    now: Timestamp,
) -> Run {
    Run::Paused(Paused { facts: rested(facts, active), at: now, plan: plan.cloned(), reason })
}

fn fail(
    facts: &RunFacts,
    active: Duration,
    plan: Option<&Arc<Plan>>,
    failure: RunFailure,
    now: Timestamp,
) -> Run {
    Run::Error(Errored { facts: rested(facts, active), at: now, plan: plan.cloned(), failure })
}

/// The facts after a further `active` time under way.
fn rested(facts: &RunFacts, active: Duration) -> RunFacts {
    RunFacts { active_before: facts.active_before.saturating_add(active), ..facts.clone() }
}

fn idle_after(facts: &RunFacts) -> Run {
    Run::Idle(Idle { last_run: Some(facts.id) })
}

/// The run's [`transition`] as a [`Table`] for a [`Machine`](crate::Machine).
#[derive(Clone, Copy, Debug)]
pub struct RunTable;

impl Table for RunTable {
    type State = Run;
    type Event = Event;
    type Refusal = IllegalTransition;

    fn next(state: &Run, event: &Event, now: Timestamp) -> Result<Run, IllegalTransition> {
        transition(state, event.clone(), now)
    }
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;
