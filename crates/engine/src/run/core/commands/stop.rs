//! Stop: pauses the run as soon as everything that was fetched is on disk.

use price_cache_domain::{Actor, Event, PauseReason, Timestamp};

use super::super::Core;
use super::super::messages::Effect;
use super::super::reply::Reply;
use super::answer;

impl Core {
    pub(super) fn stop(&mut self, actor: Actor, reply: Reply, now: Timestamp) -> Vec<Effect> {
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
            return self.refuse(reply, refused);
        }
        self.cancel_session(reason, actor, Some(reply))
    }
}
