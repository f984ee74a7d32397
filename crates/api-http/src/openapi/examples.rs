//! Real answers, recorded from a server by the test that compares them with what it answers today.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// One answer a line, under the name of its operation and its status.
const RECORDED: &str = include_str!("examples.json");

/// The recorded answers, with their members in the order in which the server writes them.
pub(crate) struct Examples(HashMap<String, Box<RawValue>>);

impl Examples {
    pub(crate) fn recorded() -> Self {
        let examples = serde_json::from_str(RECORDED).unwrap_or_else(|error| {
            tracing::error!(%error, "the examples of the API cannot be read");
            HashMap::new()
        });
        Self(examples)
    }

    /// What an operation was answered with this status; `any` stands for whichever operation.
    pub(crate) fn of(&self, name: &str, status: u16) -> Option<Box<RawValue>> {
        self.0.get(&format!("{name} {status}")).cloned()
    }

    /// How many of them are of an operation of its own.
    #[cfg(test)]
    pub(crate) fn of_operations(&self) -> usize {
        self.0.keys().filter(|name| !name.starts_with("any ")).count()
    }
}
