//! The answers of `GET /health/live` and `GET /health/ready`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the service is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The verdict; `unavailable` comes with the HTTP status 503.
    pub status: HealthStatus,
    /// Why the service is unavailable; null when it is well.
    pub detail: Option<String>,
}

/// The verdict on the service, in lower case on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// It can do its work.
    Ok,
    /// It cannot at the moment.
    Unavailable,
}

impl Health {
    /// The answer of a service that is well.
    #[must_use]
    pub const fn ok() -> Self {
        Self { status: HealthStatus::Ok, detail: None }
    }

    /// The answer of a service that cannot work, and why.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { status: HealthStatus::Unavailable, detail: Some(detail.into()) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Health;

    #[test]
    fn names_and_types_are_pinned() {
        assert_eq!(serde_json::to_string(&Health::ok()).unwrap(), r#"{"status":"ok","detail":null}"#);
        let text = r#"{"status":"unavailable","detail":"the store is being reopened"}"#;
        let health: Health = serde_json::from_str(text).unwrap();
        assert_eq!(health, Health::unavailable("the store is being reopened"));
    }
}
