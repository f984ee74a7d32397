//! What each command does in each state: one file per command that does more than to ask the state table.

mod reset;
mod retry_failed;
mod shutdown;
mod start;
mod stop;

use price_cache_domain::{Actor, Event, EventKind, RunStatus, Timestamp};

use super::Core;
use super::messages::{Command, Effect};
use super::reply::Reply;
use crate::run::accepted::Accepted;

impl Core {
    pub(super) fn command(
        &mut self,
        command: Command,
        actor: Actor,
        reply: Reply,
        now: Timestamp,
    ) -> Vec<Effect> {
        match command {
            Command::Start => self.start(actor, reply, now),
            Command::Stop => self.stop(actor, reply, now),
            Command::Shutdown => self.shut_down(actor, reply),
            Command::Reset { keep_prices } => self.reset(keep_prices, actor, reply, now),
            Command::RetryFailed(filter) => self.retry_failed(filter, actor, reply, now),
            Command::ClearLogs => self.decide(Event::ClearLogs, actor, Some(reply), now),
        }
    }
}

/// Answers a command that needed no transition.
fn answer(reply: Reply, state: RunStatus, changed: bool, message: &str) -> Effect {
    Effect::Answer(reply, Ok(Accepted { message: message.to_owned(), state, changed }))
}

/// Answers a command whose transition holds now.
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
