//! The answer to a command.

use price_cache_domain::RunStatus;

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// A sentence for a person.
    pub message: String,
    /// The state afterwards.
    pub state: RunStatus,
    /// Whether anything was changed; a stop of what does not run changes nothing.
    pub changed: bool,
}
