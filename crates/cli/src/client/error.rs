//! What can go wrong between the command line and a server, and with which code the program then ends.

use std::time::Duration;

use price_cache_api_types::Problem;

use super::ServerAddress;
use crate::Exit;

/// Why a request brought no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("cannot reach a server at {server}")]
    Connect {
        /// Which server.
        server: ServerAddress,
        /// Why.
        source: std::io::Error,
    },
    /// No connection in time.
    #[error("cannot reach a server at {server}: no connection within {timeout:?}")]
    ConnectTimeout {
        /// Which server.
        server: ServerAddress,
        /// How long it was tried.
        timeout: Duration,
    },
    /// A connection, but no answer in time.
    #[error("the server at {server} did not answer within {timeout:?}")]
    AnswerTimeout {
        /// Which server.
        server: ServerAddress,
        /// How long it was waited.
        timeout: Duration,
    },
    /// The connection ended before the answer did, or what came is not HTTP.
    #[error("the connection to {server} broke before the answer was complete")]
    Broken {
        /// Which server.
        server: ServerAddress,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is longer than is sensible.
    #[error("the answer of {server} is longer than {length_max} bytes; ask for less with --limit")]
    TooLong {
        /// Which server.
        server: ServerAddress,
        /// The limit in bytes.
        length_max: usize,
    },
    /// The server says what is wrong.
    #[error("{}", sentence(.0))]
    Problem(Box<Problem>),
    /// An answer that no price cache gives.
    #[error("{server} answered {status} and not as a price cache does; check --server")]
    Foreign {
        /// Which server.
        server: ServerAddress,
        /// The HTTP status code.
        status: u16,
    },
    /// The answer cannot be read.
    #[error("cannot understand the answer of {server}; is it another version?")]
    Malformed {
        /// Which server.
        server: ServerAddress,
        /// Where reading ended.
        source: serde_json::Error,
    },
    /// The request cannot be written.
    #[error("cannot write the request for {target}")]
    Request {
        /// What was to be asked.
        target: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ClientError {
    /// With which code the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::AnswerTimeout { .. }
            | Self::Broken { .. } => Exit::Unreachable,
            Self::Problem(problem) => match problem.status {
                409 => Exit::Refused,
                400 | 401 | 403 | 422 => Exit::Usage,
                _ => Exit::Failed,
            },
            Self::TooLong { .. } | Self::Foreign { .. } | Self::Malformed { .. } => Exit::Failed,
            Self::Request { .. } => Exit::Usage,
        }
    }

    /// Whether no server was found at the address at all.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::ConnectTimeout { .. })
    }

    /// Whether the server is there and says that it will be of use in a moment, as while it recovers its run.
    #[must_use]
    pub fn is_unready(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.status == 503)
    }

    /// Whether the server wants an API key, or another one.
    #[must_use]
    pub fn wants_key(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.status == 401)
    }
}

/// The most telling text that a problem carries.
fn sentence(problem: &Problem) -> String {
    [&problem.detail, &problem.error, &problem.title]
        .into_iter()
        .find(|text| !text.is_empty())
        .cloned()
        .unwrap_or_else(|| format!("the server answered {}", problem.status))
}
