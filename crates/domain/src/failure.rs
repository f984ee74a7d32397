//! Why a request for a price failed, in classes that each have their own retry policy.

use std::fmt;
use std::str::FromStr;

/// The longest failure message that is kept, in bytes; longer ones are cut.
pub const MESSAGE_BYTES_MAX: usize = 300;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// No connection, or it broke: refused, reset, name not found, TLS.
    Transport,
    /// No answer within a time limit.
    Timeout,
    /// Status 5xx.
    ServerError,
    /// Status 429, or 503 with `Retry-After`.
    RateLimited,
    /// The product has no price here: status 404 or 410.
    NotFound,
    /// Another status 4xx, or an API that says no with status 200.
    Rejected,
    /// Status 401 or 403.
    Credentials,
    /// An answer that is not a price: not JSON, too large, no amount, a bad number, a wrong currency.
    InvalidAnswer,
    /// The request was given up from our side.
    Cancelled,
}

impl FailureClass {
    /// Every class, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Transport,
        Self::Timeout,
        Self::ServerError,
        Self::RateLimited,
        Self::NotFound,
        Self::Rejected,
        Self::Credentials,
        Self::InvalidAnswer,
        Self::Cancelled,
    ];

    /// Whether another try can help against it.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Transport | Self::Timeout | Self::ServerError | Self::RateLimited | Self::InvalidAnswer => {
                true
            }
            Self::NotFound | Self::Rejected | Self::Credentials | Self::Cancelled => false,
        }
    }

    /// The name used in configuration, on the wire and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::ServerError => "server_error",
            Self::RateLimited => "rate_limited",
            Self::NotFound => "not_found",
            Self::Rejected => "rejected",
            Self::Credentials => "credentials",
            Self::InvalidAnswer => "invalid_answer",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A text that names no [`FailureClass`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no failure class {0:?}; the classes are transport, timeout, server_error, rate_limited, \
     not_found, rejected, credentials, invalid_answer, cancelled"
)]
pub struct UnknownFailureClass(pub String);

impl FromStr for FailureClass {
    type Err = UnknownFailureClass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == text)
            .ok_or_else(|| UnknownFailureClass(text.chars().take(60).collect()))
    }
}

/// One failure: its class and a sentence for a person, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    class: FailureClass,
    message: String,
}

impl Failure {
    /// A failure with a message, which is cut after [`MESSAGE_BYTES_MAX`] bytes.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MESSAGE_BYTES_MAX {
            const MARK: &str = "...";
            let cut = message.floor_char_boundary(MESSAGE_BYTES_MAX - MARK.len());
            message.truncate(cut);
            message.push_str(MARK);
        }
        Self { class, message }
    }

    /// The class.
    pub const fn class(&self) -> FailureClass {
        self.class
    }

    /// The sentence, at most [`MESSAGE_BYTES_MAX`] bytes.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.class, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_found_by_its_name() {
        for class in FailureClass::ALL {
            assert_eq!(class.name().parse(), Ok(class));
        }
        assert!("nonsense".parse::<FailureClass>().is_err());
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let failure = Failure::new(FailureClass::Rejected, "é".repeat(400));
        assert!(failure.message().len() <= MESSAGE_BYTES_MAX);
        assert!(failure.message().ends_with("é..."));
    }
}
