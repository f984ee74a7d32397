//! Reset: deletes the run and everything that it left.

use price_cache_domain::{Actor, Event, Timestamp};

use super::super::Core;
use super::super::messages::Effect;
use super::super::reply::Reply;

impl Core {
    pub(super) fn reset(
        &mut self,
        keep_prices: bool,
        actor: Actor,
        reply: Reply,
        now: Timestamp,
    ) -> Vec<Effect> {
        match self.machine.decide(Event::Reset, actor, now) {
            Ok(decision) => vec![Effect::Clear { decision, keep_prices, reply: Some(reply) }],
            Err(refused) => self.refuse(reply, refused),
        }
    }
}
