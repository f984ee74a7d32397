//! The input of the state machine: a request and its answer.

use std::time::Instant;

use price_cache_domain::{FailureClass, Fault};

use crate::upstream::pace::Answer;

/// The status code of an upstream that has too much to do.
const OVERLOADED: u16 = 503;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// Markets or products.
    List,
    /// A price that the run wants.
    Price,
    /// A price that this run already has: it shows whether the upstream is healthy.
    Canary,
}

/// An answer, or the lack of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation<'a> {
    pub(crate) kind: RequestKind,
    pub(crate) sent: Instant,
    /// `None` for a successful answer.
    pub(crate) fault: Option<&'a Fault>,
    /// Whether a canary request can be sent: the market has a product that succeeded in this run.
    pub(crate) has_canary: bool,
}

impl Observation<'_> {
    /// Returns what the answer says about the pace of all.
    pub(super) fn pace_answer(&self) -> Answer {
        let Some(fault) = self.fault else { return Answer::Served };
        let is_overloaded = fault.status_code == Some(OVERLOADED);
        match fault.failure.class() {
            FailureClass::RateLimited => Answer::Refused,
            _ if is_overloaded && fault.retry_after.is_some() => Answer::Refused,
            _ if is_overloaded => Answer::Overloaded,
            FailureClass::NotFound | FailureClass::Rejected | FailureClass::InvalidAnswer => Answer::Served,
            FailureClass::Transport
            | FailureClass::Timeout
            | FailureClass::ServerError
            | FailureClass::Credentials
            | FailureClass::Cancelled => Answer::Silent,
        }
    }
}
