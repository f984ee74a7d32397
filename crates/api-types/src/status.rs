//! The status: progress and estimates of every market, and the analytics of the run.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OrderedMap, StateDocument};

/// The answer of `GET /api/cache/prices/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Where the run is.
    pub current_state: StateDocument,
    /// Progress per market, in the order of the run.
    pub markets: OrderedMap<MarketStatus>,
    /// Products with an outcome, in percent of the products of all markets.
    pub overall_progress: f64,
    /// Expected minutes to the end of the run, rounded up; null when unknown, 0 when done.
    pub total_eta_minutes: Option<u64>,
    /// The same in seconds; null when unknown, 0 when done.
    #[serde(default)]
    pub total_eta_seconds: Option<f64>,
    /// The lower end of what is expected, in seconds.
    #[serde(default)]
    pub total_eta_seconds_low: Option<f64>,
    /// The upper end of what is expected, in seconds.
    #[serde(default)]
    pub total_eta_seconds_high: Option<f64>,
    /// How fast the upstream may be asked at the moment; null when nothing limits it.
    #[serde(default)]
    pub pace_limit: Option<PaceLimit>,
    /// Totals of the run.
    pub analytics: Analytics,
}

/// How fast the upstream may be asked at the moment, all markets together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaceLimit {
    /// Requests per second.
    pub requests_per_second: f64,
    /// Whether the upstream refused requests as too many and is asked more slowly for it; otherwise this is
    /// the configured rate.
    pub slowed_down: bool,
}

/// The progress of one market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MarketStatus {
    /// Products with an outcome, price or failure.
    pub completed: u64,
    /// Products of this market in the run.
    pub total: u64,
    /// Prices in percent of `completed`; 0 when nothing is completed.
    pub success_rate: f64,
    /// Products that failed.
    pub failed: u64,
    /// Expected minutes to the end of this market, rounded up; null when unknown, 0 when done.
    pub eta_minutes: Option<u64>,
    /// What the market is doing.
    #[serde(default)]
    pub state: MarketState,
    /// One line that says why the market is waiting and until when; null when it is not.
    #[serde(default)]
    pub waiting: Option<String>,
    /// Expected seconds to the end of this market; null when unknown, 0 when done.
    #[serde(default)]
    pub eta_seconds: Option<f64>,
    /// The lower end of what is expected, in seconds.
    #[serde(default)]
    pub eta_seconds_low: Option<f64>,
    /// The upper end of what is expected, in seconds.
    #[serde(default)]
    pub eta_seconds_high: Option<f64>,
    /// Mean duration of a request in milliseconds; null before the first one.
    #[serde(default)]
    pub avg_time_per_request_ms: Option<f64>,
    /// Whether the success rate is below the limit after enough products to tell.
    #[serde(default)]
    pub low_success_rate: bool,
}

/// What one market is doing, in lower case on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MarketState {
    /// Not begun in this run, or its turn has not come again.
    #[default]
    Pending,
    /// Being walked.
    Active,
    /// Being walked, and waiting before the next request.
    Waiting,
    /// Set aside after many failures in a row; it is probed and taken up again by itself.
    Parked,
    /// Every product has an outcome.
    Done,
}

impl MarketState {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for MarketState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Totals of the run over all markets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analytics {
    /// Attempts made: at least `total_success + total_fails`, more when requests were repeated.
    pub total_requests: u64,
    /// Products that ended with a price.
    pub total_success: u64,
    /// Products that ended without one.
    pub total_fails: u64,
    /// Mean duration of a request in milliseconds; 0 before the first one.
    pub avg_time_per_request_ms: f64,
    /// `total_success` in percent of the products with an outcome; 0 when there are none.
    pub success_rate: f64,
    /// The same per market, in the order of the run.
    pub markets: OrderedMap<MarketAnalytics>,
}

/// Totals of one market.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MarketAnalytics {
    /// Products with an outcome: `successful + failed`.
    pub completed: u64,
    /// Products that ended with a price.
    pub successful: u64,
    /// Products that ended without one.
    pub failed: u64,
    /// `successful` in percent of `completed`; 0 when nothing is completed.
    pub success_rate: f64,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Analytics, MarketAnalytics, MarketState, MarketStatus, PaceLimit, Status};
    use crate::{OrderedMap, StateDocument};

    #[test]
    fn names_types_and_nulls_are_the_contract() {
        let status = Status {
            current_state: StateDocument::idle(),
            markets: OrderedMap::from_iter([
                (
                    "uk",
                    MarketStatus {
                        completed: 4,
                        total: 10,
                        success_rate: 75.0,
                        failed: 1,
                        eta_minutes: Some(2),
                        state: MarketState::Waiting,
                        waiting: Some("next request in 3.2 s: Retry-After".to_owned()),
                        eta_seconds: Some(61.5),
                        eta_seconds_low: Some(50.0),
                        eta_seconds_high: Some(80.25),
                        avg_time_per_request_ms: Some(12.5),
                        low_success_rate: false,
                    },
                ),
                (
                    "at",
                    MarketStatus {
                        completed: 0,
                        total: 6,
                        success_rate: 0.0,
                        failed: 0,
                        eta_minutes: None,
                        state: MarketState::Pending,
                        waiting: None,
                        eta_seconds: None,
                        eta_seconds_low: None,
                        eta_seconds_high: None,
                        avg_time_per_request_ms: None,
                        low_success_rate: false,
                    },
                ),
            ]),
            overall_progress: 25.0,
            total_eta_minutes: Some(4),
            total_eta_seconds: Some(200.5),
            total_eta_seconds_low: Some(160.0),
            total_eta_seconds_high: None,
            pace_limit: Some(PaceLimit { requests_per_second: 12.5, slowed_down: true }),
            analytics: Analytics {
                total_requests: 6,
                total_success: 3,
                total_fails: 1,
                avg_time_per_request_ms: 12.5,
                success_rate: 75.0,
                markets: OrderedMap::from_iter([(
                    "uk",
                    MarketAnalytics { completed: 4, successful: 3, failed: 1, success_rate: 75.0 },
                )]),
            },
        };
        let state = serde_json::to_string(&StateDocument::idle()).unwrap();
        let text = format!(
            "{{\"current_state\":{state},{}",
            r#""markets":{"uk":{"completed":4,"total":10,"success_rate":75.0,"failed":1,"eta_minutes":2,"state":"waiting","waiting":"next request in 3.2 s: Retry-After","eta_seconds":61.5,"eta_seconds_low":50.0,"eta_seconds_high":80.25,"avg_time_per_request_ms":12.5,"low_success_rate":false},"at":{"completed":0,"total":6,"success_rate":0.0,"failed":0,"eta_minutes":null,"state":"pending","waiting":null,"eta_seconds":null,"eta_seconds_low":null,"eta_seconds_high":null,"avg_time_per_request_ms":null,"low_success_rate":false}},"overall_progress":25.0,"total_eta_minutes":4,"total_eta_seconds":200.5,"total_eta_seconds_low":160.0,"total_eta_seconds_high":null,"pace_limit":{"requests_per_second":12.5,"slowed_down":true},"analytics":{"total_requests":6,"total_success":3,"total_fails":1,"avg_time_per_request_ms":12.5,"success_rate":75.0,"markets":{"uk":{"completed":4,"successful":3,"failed":1,"success_rate":75.0}}}}"#
        );
        assert_eq!(serde_json::to_string(&status).unwrap(), text);
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    }

    #[test]
    fn market_states_are_lower_case_words() {
        for (state, word) in [
            (MarketState::Pending, "pending"),
            (MarketState::Active, "active"),
            (MarketState::Waiting, "waiting"),
            (MarketState::Parked, "parked"),
            (MarketState::Done, "done"),
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), word);
            assert_eq!(state.to_string(), word);
        }
    }

    #[test]
    fn the_fields_of_the_service_before_are_enough_to_read() {
        let text = r#"{"completed":1,"total":2,"success_rate":100,"failed":0,"eta_minutes":1}"#;
        let market: MarketStatus = serde_json::from_str(text).unwrap();
        assert_eq!((market.completed, market.success_rate, market.eta_minutes), (1, 100.0, Some(1)));
        assert_eq!(market.state, MarketState::Pending);
    }
}
