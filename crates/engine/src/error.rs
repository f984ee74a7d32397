//! What the engine says no with.

use price_cache_domain::{IllegalTransition, InvalidRunRecord, Refused, RunStatus, StoreError};

/// Why the service could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store could not be read.
    #[error("could not recover the run from the store")]
    Store(#[from] StoreError),
    /// The stored run contradicts itself.
    #[error("the stored run cannot be used")]
    Run(#[from] InvalidRunRecord),
}

/// Why a command was not carried out. The run is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The run's state does not allow it; the sentence says what would.
    #[error("{message}")]
    Refused {
        /// The state.
        state: RunStatus,
        /// A sentence for a person.
        message: String,
    },
    /// The store could not keep the change.
    #[error("the change could not be stored: {0}")]
    Store(StoreError),
    /// The service has ended.
    #[error("the service has ended")]
    Closed,
}

impl CommandError {
    /// A refusal by the table, with the way out, or by a guard, in its own words.
    pub(crate) fn from_refused(refused: Refused<IllegalTransition>, state: RunStatus) -> Self {
        let message = match refused {
            Refused::Vetoed(veto) => veto.0,
            Refused::Illegal(illegal) if state.is_locked() => {
                format!("{illegal}; stop it first, or wait until it ends")
            }
            Refused::Illegal(illegal) => illegal.to_string(),
        };
        Self::Refused { state, message }
    }
}
