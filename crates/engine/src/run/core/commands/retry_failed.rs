//! Retry: attempts failed products again.

use price_cache_domain::{Actor, Event, RetryFilter, Timestamp};

use super::super::Core;
use super::super::messages::Effect;
use super::super::reply::Reply;
use crate::error::CommandError;

impl Core {
    pub(super) fn retry_failed(
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
}
