//! What each command does in each state, and who is told.

use price_cache_domain::{
    Actor, Event, EventKind, PauseReason, RetryFilter, Run, RunId, RunStatus, Timestamp,
};

use super::{Command, Core, Effect, Reply, Stopping};
use crate::error::CommandError;
use crate::run::handle::Accepted;

impl Core {
    pub(super) fn command(
        &mut self,
        command: Command,
        actor: Actor,
        reply: Reply,
        now: Timestamp,
    ) -> Vec<Effect> {
        match command {
            Command::Start => {
                let run = RunId::next(self.machine.state().latest_id(), now);
                self.decide(Event::Start { run }, actor, Some(reply), now)
            }
            Command::Stop => self.stop(actor, reply, now),
            Command::Shutdown => self.shut_down(actor, reply),
            Command::Reset { keep_prices } => {
                let state = self.machine.state().status();
                match self.machine.decide(Event::Reset, actor, now) {
                    Ok(decision) => vec![Effect::Clear { decision, keep_prices, reply: Some(reply) }],
                    Err(refused) => {
                        vec![Effect::Answer(reply, Err(CommandError::from_refused(refused, state)))]
                    }
                }
            }
            Command::RetryFailed(filter) => self.retry_failed(filter, actor, reply, now),
            Command::ClearLogs => self.decide(Event::ClearLogs, actor, Some(reply), now),
        }
    }

    fn retry_failed(
        &mut self,
        filter: RetryFilter,
        actor: Actor,
        reply: Reply,
        now: Timestamp,
    ) -> Vec<Effect> {
        let state = self.machine.state().status();
        let failed: u64 =
            self.snapshot.borrow().markets.iter().map(|market| market.failed_matching(&filter)).sum();
        // While a run is under way the table refuses with the better reason.
        if failed == 0 && !state.is_locked() {
            let message = "no failed product of the last run matches, so there is nothing to retry";
            let refused = CommandError::Refused { state, message: message.to_owned() };
            return vec![Effect::Answer(reply, Err(refused))];
        }
        self.decide(Event::RetryFailed { filter }, actor, Some(reply), now)
    }

    fn stop(&mut self, actor: Actor, reply: Reply, now: Timestamp) -> Vec<Effect> {
        let state = self.machine.state().status();
        let reason = PauseReason::Manual;
        if !self.session_running {
            // A guard once kept the run from coming to rest, or it would go on by itself.
            if state.is_locked() || self.snapshot.borrow().retry_at.is_some() {
                return self.decide(Event::Stop { reason }, actor, Some(reply), now);
            }
            return vec![answer(reply, state, false, &format!("nothing is running; the run is {state}"))];
        }
        // A guard is asked before anything is given up, not only when all has ended.
        if let Err(refused) = self.machine.decide(Event::Stop { reason }, actor.clone(), now) {
            return vec![Effect::Answer(reply, Err(CommandError::from_refused(refused, state)))];
        }
        self.cancel_session(reason, actor, Some(reply))
    }

    fn shut_down(&mut self, actor: Actor, reply: Reply) -> Vec<Effect> {
        if !self.session_running {
            let state = self.machine.state().status();
            return vec![answer(reply, state, false, "the service ends"), Effect::End];
        }
        self.closing.push(reply);
        self.cancel_session(PauseReason::Shutdown, actor, None)
    }

    fn cancel_session(&mut self, reason: PauseReason, actor: Actor, reply: Option<Reply>) -> Vec<Effect> {
        if let Some(stopping) = &mut self.stopping {
            // A shutdown during a stop by a person leaves it a stop by a person, and the other way
            // round the person's wish counts.
            if reason == PauseReason::Manual {
                stopping.reason = reason;
            }
            stopping.replies.extend(reply);
            return Vec::new();
        }
        self.stopping = Some(Stopping { reason, actor, replies: reply.into_iter().collect() });
        self.snapshot.send_modify(|snapshot| snapshot.stop_requested = true);
        self.log.journal().state_changed();
        vec![Effect::CancelSession]
    }

    /// A run under way came to rest: whoever asked for a stop hears of it.
    pub(super) fn rested(&mut self, run: &Run) -> Vec<Effect> {
        let state = run.status();
        let message = match state {
            RunStatus::Paused => "the run is paused".to_owned(),
            other => format!("the run ended before it could be paused; it is {other}"),
        };
        self.release_waiting(&Ok(Accepted { message, state, changed: true }))
    }

    /// Answers everyone who waits for the session to end.
    pub(super) fn release_waiting(&mut self, result: &Result<Accepted, CommandError>) -> Vec<Effect> {
        self.snapshot.send_modify(|snapshot| snapshot.stop_requested = false);
        self.log.journal().state_changed();
        let stopping = self.stopping.take().map(|stopping| stopping.replies).unwrap_or_default();
        let closing = std::mem::take(&mut self.closing);
        let ends = !closing.is_empty();
        let replies = stopping.into_iter().chain(closing);
        let mut effects: Vec<_> = replies.map(|reply| Effect::Answer(reply, result.clone())).collect();
        effects.extend(ends.then_some(Effect::End));
        effects
    }
}

fn answer(reply: Reply, state: RunStatus, changed: bool, message: &str) -> Effect {
    Effect::Answer(reply, Ok(Accepted { message: message.to_owned(), state, changed }))
}

/// The answer to a command whose transition holds now.
pub(super) fn accept(reply: Reply, kind: EventKind, state: RunStatus) -> Effect {
    let message = match kind {
        EventKind::Start => "the run is under way",
        EventKind::RetryFailed => "the failed products are being tried again",
        EventKind::Reset => "the run and everything it left is deleted",
        EventKind::ClearLogs => "the logs are deleted",
        EventKind::Stop if state == RunStatus::Error => {
            "the automatic retry is called off; start goes on where the run was"
        }
        EventKind::Stop => "the run is paused",
        EventKind::PlanComplete
        | EventKind::ProductDone
        | EventKind::MarketDone
        | EventKind::LastMarketDone
        | EventKind::Fail
        | EventKind::RetryDue => "done",
    };
    answer(reply, state, true, message)
}
