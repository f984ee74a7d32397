//! The commands: what may be asked of start, stop, reset and retry-failed, and what they answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StateDocument;

/// The answer of start, stop and retry-failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// What was done, as a sentence.
    pub message: String,
    /// Where the run is now.
    pub state: StateDocument,
}

/// The body of reset; an empty body means the same as `{}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResetRequest {
    /// Whether the cached prices stay. They are cleared by default.
    pub keep_prices: bool,
}

/// The answer of reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResetAnswer {
    /// What was done, as a sentence.
    pub message: String,
}

/// The body of retry-failed; an empty body means every failed product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryFailedRequest {
    /// Only this market; left out for all.
    #[schemars(length(min = 1, max = 512), extend("pattern" = crate::ID_PATTERN))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// Only this class of failure; left out for all.
    #[schemars(extend("enum" = [
        "transport", "timeout", "server_error", "rate_limited", "not_found", "rejected", "credentials",
        "invalid_answer", "cancelled", null
    ]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Accepted, ResetAnswer, ResetRequest, RetryFailedRequest};
    use crate::StateDocument;

    #[test]
    fn answers_carry_message_and_state() {
        let accepted = Accepted { message: "Run started".to_owned(), state: StateDocument::idle() };
        let value = serde_json::to_value(&accepted).unwrap();
        assert_eq!(value["message"], "Run started");
        assert_eq!(value["state"]["status"], "IDLE");
        assert_eq!(serde_json::from_value::<Accepted>(value).unwrap(), accepted);
        let reset = ResetAnswer { message: "Reset".to_owned() };
        assert_eq!(serde_json::to_string(&reset).unwrap(), r#"{"message":"Reset"}"#);
    }

    #[test]
    fn requests_have_defaults_and_refuse_what_they_do_not_know() {
        assert!(!serde_json::from_str::<ResetRequest>("{}").unwrap().keep_prices);
        assert!(serde_json::from_str::<ResetRequest>(r#"{"keep_prices":true}"#).unwrap().keep_prices);
        let unknown = serde_json::from_str::<ResetRequest>(r#"{"keepPrices":true}"#).unwrap_err();
        assert!(unknown.to_string().contains("`keepPrices`"), "{unknown}");

        let narrow = RetryFailedRequest { market: Some("uk".to_owned()), class: None };
        assert_eq!(serde_json::to_string(&narrow).unwrap(), r#"{"market":"uk"}"#);
        assert_eq!(serde_json::from_str::<RetryFailedRequest>(r#"{"market":"uk"}"#).unwrap(), narrow);
        assert!(serde_json::from_str::<RetryFailedRequest>(r#"{"markets":"uk"}"#).is_err());
    }
}
