//! What can be wrong with a configuration.

use std::fmt;

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key it is about, dotted from the top, such as `source.price.url`.
    pub key: String,
    /// What is wrong and what to write instead: a lower-case fragment.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.key, self.message)
    }
}

/// Why a source could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The configuration cannot work as it is.
    #[error("{}", listed(.0))]
    Config(Vec<ConfigProblem>),
    /// The HTTP client could not be set up.
    #[error("setting up the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn listed(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Collects problems, so that one check reports all of them.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<ConfigProblem>);

impl Problems {
    /// Notes one problem.
    pub(crate) fn push(&mut self, key: &str, message: impl fmt::Display) {
        self.0.push(ConfigProblem { key: key.to_owned(), message: message.to_string() });
    }

    /// The value, or none and a note of what is wrong with it.
    pub(crate) fn check<T, E: fmt::Display>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.push(key, error)).ok()
    }
}
