//! One change of the run's state.

use price_cache_api_types as api;
use price_cache_engine::Transition;

use super::{rfc3339, run_status};

/// The document of a transition; its event is one word.
pub(crate) fn transition(transition: &Transition) -> api::Transition {
    api::Transition {
        at: rfc3339(transition.at),
        from: run_status(transition.from),
        to: run_status(transition.to),
        event: transition.event.name().replace(' ', "_"),
        actor: transition.actor.to_string(),
        reason: transition.reason.clone(),
    }
}
