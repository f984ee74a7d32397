//! The history of the run: changes of its state, and who caused them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{RunStatus, Timestamp};

/// The answer of `GET /api/cache/prices/transitions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transitions {
    /// The newest changes since the server was started, newest first.
    pub transitions: Vec<Transition>,
}

/// One change; also the data of the event `transition`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// When.
    #[schemars(extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The state before.
    pub from: RunStatus,
    /// The state after; the same one where only the logs were deleted.
    pub to: RunStatus,
    /// What happened, for example `start`, `plan_complete` or `retry_failed_products`.
    pub event: String,
    /// Who caused it, for example `api`, `engine` or `signal`.
    pub actor: String,
    /// Why, where there is more to say; null otherwise.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Transitions;

    #[test]
    fn names_types_and_nulls_are_pinned() {
        let text = r#"{"transitions":[{"at":"2026-11-23T10:00:05.000Z","from":"PROCESSING","to":"PAUSED","event":"stop","actor":"api","reason":"manual"},{"at":"2026-11-23T10:00:00.000Z","from":"IDLE","to":"INITIALIZING","event":"start","actor":"api","reason":null}]}"#;
        let transitions: Transitions = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&transitions).unwrap(), text);
    }
}
