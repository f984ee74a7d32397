//! The log of calls: one entry per attempt, newest first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The answer of `GET /api/cache/prices/logs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Logs {
    /// The entries asked for, newest first.
    pub logs: Vec<LogEntry>,
    /// How many entries are kept.
    pub total: u64,
    /// Totals over the entries that are kept.
    pub stats: LogStats,
    /// To which run the entries belong.
    pub metadata: LogMetadata,
    /// The page, from 1; left out unless pages were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// Entries per page; left out unless pages were asked for.
    #[serde(default, rename = "pageSize", skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u64>,
    /// How many pages there are; left out unless pages were asked for.
    #[serde(default, rename = "totalPages", skip_serializing_if = "Option::is_none")]
    pub total_pages: Option<u64>,
}

/// One call to the upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// Tells this entry from all others of the run.
    pub id: String,
    /// When the call ended.
    #[schemars(extend("format" = "date-time"))]
    pub timestamp: Timestamp,
    /// What was asked, with secrets masked.
    pub url: String,
    /// The product asked for.
    pub product_id: String,
    /// The market asked for.
    pub market_id: String,
    /// Whether a price came back.
    pub success: bool,
    /// How long the call took, in milliseconds.
    pub duration_ms: u64,
    /// What went wrong; left out when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The HTTP status code; left out when no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
}

/// Totals over the log entries that are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogStats {
    /// Calls.
    pub total: u64,
    /// Calls that brought a price.
    pub successful: u64,
    /// Calls that did not.
    pub failed: u64,
    /// `successful` in percent of `total`; 0 when there are none.
    pub success_rate: f64,
    /// Mean duration of a call in milliseconds; 0 when there are none.
    pub avg_duration_ms: f64,
}

/// To which run a log belongs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogMetadata {
    /// The id of the run; null before the first one.
    pub run_id: Option<String>,
    /// When the run was started; null before the first one.
    #[schemars(extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// How many entries are kept.
    pub total_logs: u64,
}

/// The answer of `DELETE /api/cache/prices/logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogsCleared {
    /// Always true: a failure is answered as a problem.
    pub success: bool,
    /// What was done, as a sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Logs, LogsCleared};

    const UNPAGED: &str = r#"{"logs":[{"id":"17","timestamp":"2026-11-23T10:00:00Z","url":"https://shop.test/p/1?key=***","product_id":"1","market_id":"uk","success":false,"duration_ms":120,"error":"the answer is not JSON","status_code":200},{"id":"16","timestamp":"2026-11-23T09:59:59Z","url":"https://shop.test/p/0","product_id":"0","market_id":"uk","success":true,"duration_ms":80}],"total":2,"stats":{"total":2,"successful":1,"failed":1,"success_rate":50.0,"avg_duration_ms":100.0},"metadata":{"run_id":"r1","started_at":"2026-11-23T09:00:00Z","total_logs":2}}"#;
    const PAGED: &str = r#"{"logs":[],"total":0,"stats":{"total":0,"successful":0,"failed":0,"success_rate":0.0,"avg_duration_ms":0.0},"metadata":{"run_id":null,"started_at":null,"total_logs":0},"page":1,"pageSize":50,"totalPages":0}"#;

    #[test]
    fn names_and_types_are_the_contract() {
        for text in [UNPAGED, PAGED] {
            let logs: Logs = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&logs).unwrap(), text);
        }
    }

    #[test]
    fn clearing_says_so() {
        let cleared = LogsCleared { success: true, message: "Logs cleared".to_owned() };
        assert_eq!(serde_json::to_string(&cleared).unwrap(), r#"{"success":true,"message":"Logs cleared"}"#);
    }
}
