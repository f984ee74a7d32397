//! Shutdown: pauses a run under way, then ends the service.

use price_cache_domain::{Actor, PauseReason};

use super::super::Core;
use super::super::messages::Effect;
use super::super::reply::Reply;
use super::answer;

impl Core {
    pub(super) fn shut_down(&mut self, actor: Actor, reply: Reply) -> Vec<Effect> {
        if !self.session_running {
            let state = self.machine.state().status();
            return vec![answer(reply, state, false, "the service ends"), Effect::End];
        }
        self.closing.push(reply);
        self.cancel_session(PauseReason::Shutdown, actor, None)
    }
}
