//! The exit codes, a promise to scripts.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked is done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The command line, the configuration or the API key is wrong.
    Usage = 2,
    /// The server refuses it in its present state (409).
    Refused = 3,
    /// The server cannot be reached or does not answer.
    Unreachable = 4,
    /// The run is complete, but products failed.
    FailedProducts = 5,
    /// Interrupted: the run is paused, and the same command resumes it.
    Interrupted = 130,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
