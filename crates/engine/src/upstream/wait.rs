//! Why a request has to wait.

use std::time::Instant;

use price_cache_domain::FailureClass;

/// Why a market waits before its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// The upstream asked for it.
    RetryAfter,
    /// The last attempt failed so, and the next one keeps its distance.
    Backoff(FailureClass),
    /// The configured rate, or delay between requests.
    Pacing,
    /// The upstream refused requests as too many, so that they are sent at a slower pace.
    Throttled,
    /// The upstream takes much longer than usual and is given rest.
    SlowAnswers,
}

/// A moment before which no request may be sent, and why.
pub(crate) type NotBefore = (Instant, WaitReason);
