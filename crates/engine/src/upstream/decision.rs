//! What the state machine says: what to do after an answer.

use std::time::Instant;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the same request again, when `ready` says so.
    Retry,
    /// Record the outcome, and those that were held back.
    Record,
    /// Hold the outcome back: the failure may not be the product's own.
    Hold,
    /// Hold it back and send a canary request.
    Canary,
    /// Forget what is held back; the circuit of the market is open until then.
    Park(Instant),
    /// Forget what is held back and walk the market after the others: they will show whose failure it is.
    Defer,
    /// Forget what is held back and end the run: the credentials are refused, in these words.
    End(String),
}

/// What follows from an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) next: Next,
    /// Whether there would have been a retry if the budget had had one.
    pub(crate) retry_denied: bool,
}
