//! Start: begins, resumes or retries the run, by state.

use price_cache_domain::{Actor, Event, RunId, Timestamp};

use super::super::Core;
use super::super::messages::Effect;
use super::super::reply::Reply;

impl Core {
    pub(super) fn start(&mut self, actor: Actor, reply: Reply, now: Timestamp) -> Vec<Effect> {
        let run = RunId::next(self.machine.state().latest_id(), now);
        self.decide(Event::Start { run }, actor, Some(reply), now)
    }
}
