//! A stop on its way: the session is cancelled, and everyone who waits for its end is answered then.

use price_cache_domain::{Actor, PauseReason, Run, RunStatus};

use super::messages::Effect;
use super::reply::Reply;
use super::{Core, Stopping};
use crate::error::CommandError;
use crate::run::accepted::Accepted;

impl Core {
    pub(super) fn cancel_session(
        &mut self,
        reason: PauseReason,
        actor: Actor,
        reply: Option<Reply>,
    ) -> Vec<Effect> {
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
        self.events.state_changed();
        vec![Effect::CancelSession]
    }

    /// Answers everyone who asked for a stop, now that the run has come to rest.
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
        self.events.state_changed();
        let stopping = self.stopping.take().map(|stopping| stopping.replies).unwrap_or_default();
        let closing = std::mem::take(&mut self.closing);
        let ends = !closing.is_empty();
        let replies = stopping.into_iter().chain(closing);
        let mut effects: Vec<_> = replies.map(|reply| Effect::Answer(reply, result.clone())).collect();
        effects.extend(ends.then_some(Effect::End));
        effects
    }
}
