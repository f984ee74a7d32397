//! The decisions: one synchronous step from an input to effects. Nothing here waits, reads a clock or
//! touches the store; `shell` does that.

mod commands;
pub(crate) mod messages;
pub(crate) mod reply;
mod reports;
mod saved;
mod stopping;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{
    Actor, Event, EventKind, IllegalTransition, Machine, PauseReason, Refused, Run, RunFailure,
    RunFailureClass, RunTable, Timestamp,
};
use tokio::sync::watch;

use self::messages::{Effect, Input};
use self::reply::Reply;
use crate::Options;
use crate::error::CommandError;
use crate::view::event_log::EventLog;
use crate::view::request_log::RequestLog;
use crate::view::snapshot::Snapshot;
use crate::walk::report::{ProductDone, SessionFailure};

/// The first automatic retry of a run comes after this; the wait doubles up to the maximum.
const AUTOMATIC_RETRY_START: Duration = Duration::from_secs(2);
/// The longest wait before an automatic retry.
const AUTOMATIC_RETRY_MAX: Duration = Duration::from_secs(300);

/// A stop that was asked for and waits for the session to end.
#[derive(Debug)]
struct Stopping {
    reason: PauseReason,
    actor: Actor,
    replies: Vec<Reply>,
}

/// The run and everything that decides about it.
pub(crate) struct Core {
    machine: Machine<RunTable>,
    snapshot: watch::Sender<Snapshot>,
    requests: Arc<RequestLog>,
    events: Arc<EventLog>,
    session_running: bool,
    stopping: Option<Stopping>,
    /// Who waits for the end of the service.
    closing: Vec<Reply>,
    /// Fetched products whose records the store refused: recorded again before the run goes on. At most
    /// the undurable records of the markets that were walked at once.
    not_recorded: Vec<ProductDone>,
    /// Automatic retries since a product was last done or a person started the run.
    automatic_retries: u32,
}

impl Core {
    pub(crate) fn new(
        machine: Machine<RunTable>,
        snapshot: watch::Sender<Snapshot>,
        requests: Arc<RequestLog>,
        events: Arc<EventLog>,
    ) -> Self {
        Self {
            machine,
            snapshot,
            requests,
            events,
            session_running: false,
            stopping: None,
            closing: Vec::new(),
            not_recorded: Vec::new(),
            automatic_retries: 0,
        }
    }

    /// What to do at start-up: go on with an interrupted run if so configured, keep an ERROR's appointment.
    pub(crate) fn begin(&mut self, options: &Options, now: Timestamp) -> Vec<Effect> {
        match self.machine.state() {
            Run::Paused(paused) if options.resume_interrupted && paused.reason().may_resume_by_itself() => {
                self.decide(Event::RetryDue, Actor::ENGINE, None, now)
            }
            Run::Error(error) => {
                // The appointment is of the wall clock, which may have been set back since.
                let latest = now.plus(AUTOMATIC_RETRY_MAX.max(options.parking.probe_delay_max));
                vec![self.set_retry(error.failure().retry_at.map(|at| at.min(latest)))]
            }
            Run::Idle(_) | Run::Initializing(_) | Run::Processing(_) | Run::Paused(_) | Run::Completed(_) => {
                Vec::new()
            }
        }
    }

    /// Decides what follows from one input.
    pub(crate) fn step(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        match input {
            Input::Command { command, actor, reply } => self.command(command, actor, reply, now),
            Input::Report(report) => self.report(report, now),
            Input::RetryDue => self.retry_due(now),
        }
    }

    /// The run cannot go on by itself; where a stop was asked for anyway, it is paused.
    fn fail(&mut self, failure: SessionFailure, now: Timestamp) -> Vec<Effect> {
        let retry_at = (failure.retryable && self.stopping.is_none()).then(|| self.next_automatic_retry(now));
        self.fail_until(RunFailure { class: failure.class, message: failure.message, retry_at }, now)
    }

    fn fail_until(&mut self, failure: RunFailure, now: Timestamp) -> Vec<Effect> {
        if let Some(stopping) = &self.stopping {
            tracing::warn!(message = %failure.message, "the run failed while it was stopped");
            let (reason, actor) = (stopping.reason, stopping.actor.clone());
            return self.decide(Event::Stop { reason }, actor, None, now);
        }
        self.decide(Event::Fail { failure }, Actor::ENGINE, None, now)
    }

    fn next_automatic_retry(&mut self, now: Timestamp) -> Timestamp {
        let doublings = self.automatic_retries.min(16);
        self.automatic_retries += 1;
        now.plus(AUTOMATIC_RETRY_START.saturating_mul(1 << doublings).min(AUTOMATIC_RETRY_MAX))
    }

    fn retry_due(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.machine.state() {
            Run::Error(_) => self.decide(Event::RetryDue, Actor::ENGINE, None, now),
            Run::Paused(paused) if paused.reason().may_resume_by_itself() => {
                self.decide(Event::RetryDue, Actor::ENGINE, None, now)
            }
            Run::Idle(_) | Run::Initializing(_) | Run::Processing(_) | Run::Paused(_) | Run::Completed(_) => {
                Vec::new()
            }
        }
    }

    fn set_retry(&self, at: Option<Timestamp>) -> Effect {
        self.snapshot.send_modify(|snapshot| snapshot.retry_at = at);
        Effect::SetRetry(at)
    }

    /// Asks the table and the guards, and has the new state saved before it holds.
    fn decide(&mut self, event: Event, actor: Actor, reply: Option<Reply>, now: Timestamp) -> Vec<Effect> {
        let kind = event.kind();
        match (self.machine.decide(event, actor, now), reply) {
            (Ok(decision), reply) => vec![Effect::Save { decision, reply }],
            (Err(refused), Some(reply)) => self.refuse(reply, refused),
            (Err(refused), None) => self.forbidden(kind, refused, now),
        }
    }

    /// Answers a command that the table or a guard refuses.
    fn refuse(&self, reply: Reply, refused: Refused<IllegalTransition>) -> Vec<Effect> {
        let error = CommandError::from_refused(refused, self.machine.state().status());
        vec![Effect::Answer(reply, Err(error))]
    }

    /// A guard forbade, or the table does not know, what the engine wants by itself. The run must come to
    /// rest all the same.
    fn forbidden(
        &mut self,
        kind: EventKind,
        refused: Refused<IllegalTransition>,
        now: Timestamp,
    ) -> Vec<Effect> {
        tracing::warn!(event = %kind, %refused, "the engine may not make a transition");
        match kind {
            EventKind::RetryDue => {
                let at = self.next_automatic_retry(now);
                vec![self.set_retry(Some(at))]
            }
            // Nothing is under way any more; the next stop asks again.
            EventKind::Stop | EventKind::Fail => {
                let error = CommandError::from_refused(refused, self.machine.state().status());
                self.release_waiting(&Err(error))
            }
            EventKind::Start
            | EventKind::PlanComplete
            | EventKind::ProductDone
            | EventKind::MarketDone
            | EventKind::LastMarketDone
            | EventKind::RetryFailed
            | EventKind::Reset
            | EventKind::ClearLogs => {
                let message = format!("{kind} was refused: {refused}; start goes on where it was");
                let class = RunFailureClass::Internal;
                self.fail(SessionFailure { class, message, retryable: true }, now)
            }
        }
    }
}
