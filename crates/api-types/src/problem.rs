//! Errors as RFC 9457 problem documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every answer with a status of 400 or more, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A URI that names the kind of problem; `about:blank` when the status code says it all.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind of problem in a few words, the same for every occurrence.
    #[serde(default)]
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What is wrong this time and what to do, as a sentence.
    #[serde(default)]
    pub detail: String,
    /// The path that was asked; null when unknown.
    #[serde(default)]
    pub instance: Option<String>,
    /// The same sentence as `detail`, under the name that older clients read.
    #[serde(default)]
    pub error: String,
}

impl Problem {
    /// The media type of these documents.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem that the status code and a sentence describe; `error` repeats the sentence.
    #[must_use]
    pub fn new(status: u16, title: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            kind: about_blank(),
            title: title.into(),
            status,
            error: detail.clone(),
            detail,
            instance: None,
        }
    }

    /// The same problem, with the path that was asked.
    #[must_use]
    pub fn at(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Problem;

    #[test]
    fn the_sentence_stands_under_both_names() {
        let problem = Problem::new(409, "Conflict", "A run is going on.").at("/api/cache/prices/start");
        let text = r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"A run is going on.","instance":"/api/cache/prices/start","error":"A run is going on."}"#;
        assert_eq!(serde_json::to_string(&problem).unwrap(), text);
        assert_eq!(serde_json::from_str::<Problem>(text).unwrap(), problem);
    }

    #[test]
    fn a_problem_of_another_server_can_be_read() {
        let problem: Problem = serde_json::from_str(r#"{"status":502,"title":"Bad Gateway"}"#).unwrap();
        assert_eq!((problem.kind.as_str(), problem.status), ("about:blank", 502));
    }
}
