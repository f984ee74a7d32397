//! Decides whose failure it is when requests fail: the product's, the market's upstream, or our credentials.

use price_cache_domain::{FailureClass, Fault};

/// Products in a row refused with 401 or 403 that mean wrong credentials: a shop may forbid single products.
const REFUSED_MAX: u32 = 5;

/// What an answer says about the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It answers, also where it has no price.
    Healthy,
    Suspect(Suspect),
}

/// A failure that may not be the product's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    /// The upstream refuses our credentials, in these words.
    Credentials(String),
    /// The upstream may be down or overloaded.
    Upstream { class: FailureClass, status_code: Option<u16>, message: String },
}

impl Sign {
    /// Reads the last answer to a request; `detects_outages` is false where markets are never parked.
    pub(super) fn of(fault: Option<&Fault>, detects_outages: bool) -> Self {
        let Some(fault) = fault else { return Self::Healthy };
        let (class, message) = (fault.failure.class(), fault.failure.message().to_owned());
        match class {
            FailureClass::Credentials => Self::Suspect(Suspect::Credentials(message)),
            FailureClass::Transport
            | FailureClass::Timeout
            | FailureClass::ServerError
            | FailureClass::RateLimited
                if detects_outages =>
            {
                Self::Suspect(Suspect::Upstream { class, status_code: fault.status_code, message })
            }
            FailureClass::Transport
            | FailureClass::Timeout
            | FailureClass::ServerError
            | FailureClass::RateLimited
            | FailureClass::NotFound
            | FailureClass::Rejected
            | FailureClass::InvalidAnswer
            | FailureClass::Cancelled => Self::Healthy,
        }
    }
}

/// Counts suspect failures in a row, of one market or of all together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InARow {
    pub(super) failures: u32,
    refused: u32,
}

impl InARow {
    pub(super) const fn count(&mut self, suspect: &Suspect) {
        match suspect {
            Suspect::Credentials(_) => self.refused = self.refused.saturating_add(1),
            Suspect::Upstream { .. } => self.failures = self.failures.saturating_add(1),
        }
    }

    /// Returns the counts with no refused credentials.
    pub(super) const fn without_refusals(self) -> Self {
        Self { failures: self.failures, refused: 0 }
    }

    /// Tells whether this many mean more than bad luck with single products.
    pub(super) const fn is_enough(self, suspect: &Suspect, failures_max: u32) -> bool {
        match suspect {
            Suspect::Credentials(_) => self.refused >= REFUSED_MAX,
            Suspect::Upstream { .. } => self.failures >= failures_max,
        }
    }
}
