//! The state of the run: `state` in the answers to commands, `current_state` in the status.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OrderedMap, Timestamp};

/// The six states of a run, in capitals on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunStatus {
    /// Nothing has been started since the beginning or the last reset.
    Idle,
    /// Markets and products are being listed.
    Initializing,
    /// Prices are being fetched.
    Processing,
    /// Stopped or interrupted; start resumes.
    Paused,
    /// Every product has an outcome.
    Completed,
    /// The run cannot go on; start tries again.
    Error,
}

impl RunStatus {
    /// Whether a run is going on, so that start and reset are refused.
    #[must_use]
    pub const fn is_running(self) -> bool {
        match self {
            Self::Initializing | Self::Processing => true,
            Self::Idle | Self::Paused | Self::Completed | Self::Error => false,
        }
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "IDLE",
            Self::Initializing => "INITIALIZING",
            Self::Processing => "PROCESSING",
            Self::Paused => "PAUSED",
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Where the run is. Everything up to `market_totals` is what the service before this one answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StateDocument {
    /// The state itself.
    pub status: RunStatus,
    /// The market being walked, the first one in order when several are; null when none is.
    pub current_market: Option<String>,
    /// How many products of `current_market` have an outcome: the index of the next one. 0 without a market.
    pub current_product_idx: u64,
    /// When the run was started; null in IDLE.
    #[schemars(extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// When the run is expected to end; null when that is unknown or nothing runs.
    #[schemars(extend("format" = "date-time"))]
    pub estimated_end_at: Option<Timestamp>,
    /// When the run was paused; null unless PAUSED.
    #[schemars(extend("format" = "date-time"))]
    pub paused_at: Option<Timestamp>,
    /// When the run was completed; null unless COMPLETED.
    #[schemars(extend("format" = "date-time"))]
    pub completed_at: Option<Timestamp>,
    /// Why the run cannot go on; null unless ERROR.
    pub error_message: Option<String>,
    /// The ids of the run's markets in order.
    pub markets: Vec<String>,
    /// How many markets the run has.
    pub total_markets: u64,
    /// The index of `current_market` in `markets`, from 0. The number of markets when all are done.
    pub current_market_index: u64,
    /// How many products each market has in this run.
    pub market_totals: OrderedMap<u64>,
    /// The id of the run; null in IDLE.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Why the run is paused (`manual`, `interrupted`, `shutdown`, ...); null unless PAUSED.
    #[serde(default)]
    pub paused_reason: Option<String>,
    /// Whether a stop was asked for and is about to take effect.
    #[serde(default)]
    pub stop_requested: bool,
    /// When a run in ERROR tries again by itself; null when it does not.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    pub retry_at: Option<Timestamp>,
    /// The ids of the markets being walked right now, in order.
    #[serde(default)]
    pub active_markets: Vec<String>,
}

impl StateDocument {
    /// The document of a service in which nothing has been started.
    #[must_use]
    pub const fn idle() -> Self {
        Self {
            status: RunStatus::Idle,
            current_market: None,
            current_product_idx: 0,
            started_at: None,
            estimated_end_at: None,
            paused_at: None,
            completed_at: None,
            error_message: None,
            markets: Vec::new(),
            total_markets: 0,
            current_market_index: 0,
            market_totals: OrderedMap::new(),
            run_id: None,
            paused_reason: None,
            stop_requested: false,
            retry_at: None,
            active_markets: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{RunStatus, StateDocument};

    const PROCESSING: &str = r#"{"status":"PROCESSING","current_market":"uk","current_product_idx":7,"started_at":"2026-11-23T10:00:00Z","estimated_end_at":"2026-11-23T11:00:00Z","paused_at":null,"completed_at":null,"error_message":null,"markets":["at","uk"],"total_markets":2,"current_market_index":1,"market_totals":{"at":3,"uk":40},"run_id":"r1","paused_reason":null,"stop_requested":false,"retry_at":null,"active_markets":["uk"]}"#;

    #[test]
    fn names_types_and_nulls_are_the_contract() {
        let state: StateDocument = serde_json::from_str(PROCESSING).unwrap();
        assert_eq!(state.status, RunStatus::Processing);
        assert_eq!(state.market_totals.get("uk"), Some(&40));
        assert_eq!(serde_json::to_string(&state).unwrap(), PROCESSING);
    }

    #[test]
    fn idle_answers_every_field() {
        assert_eq!(
            serde_json::to_string(&StateDocument::idle()).unwrap(),
            r#"{"status":"IDLE","current_market":null,"current_product_idx":0,"started_at":null,"estimated_end_at":null,"paused_at":null,"completed_at":null,"error_message":null,"markets":[],"total_markets":0,"current_market_index":0,"market_totals":{},"run_id":null,"paused_reason":null,"stop_requested":false,"retry_at":null,"active_markets":[]}"#
        );
    }

    #[test]
    fn the_fields_of_the_service_before_are_enough_to_read() {
        let text = r#"{"status":"PAUSED","current_market":null,"current_product_idx":0,"started_at":null,"estimated_end_at":null,"paused_at":null,"completed_at":null,"error_message":null,"markets":[],"total_markets":0,"current_market_index":0,"market_totals":{}}"#;
        let state: StateDocument = serde_json::from_str(text).unwrap();
        assert_eq!(state.status, RunStatus::Paused);
        assert!(!state.stop_requested);
    }

    #[test]
    fn the_word_on_the_wire_is_the_word_shown() {
        for (status, running) in [
            (RunStatus::Idle, false),
            (RunStatus::Initializing, true),
            (RunStatus::Processing, true),
            (RunStatus::Paused, false),
            (RunStatus::Completed, false),
            (RunStatus::Error, false),
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.is_running(), running);
        }
    }
}
