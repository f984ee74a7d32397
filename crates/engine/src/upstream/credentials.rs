//! Whether the upstream refuses our credentials, counted over all markets of a run: so many products refused
//! in a row are not the products' fault.

use std::sync::{Mutex, PoisonError};

/// So many products in a row refused with 401 or 403 mean that the credentials are wrong, not the
/// products.
const REFUSED_MAX: u32 = 5;

/// What the markets of a run know of the credentials.
#[derive(Debug, Default)]
pub(crate) struct Credentials(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Since any market had an answer of another kind.
    refused_in_a_row: u32,
    /// Whether any product of the run had one.
    were_accepted: bool,
}

impl Credentials {
    /// A session begins; `were_accepted` when the run has a product that came.
    pub(crate) fn reset(&self, were_accepted: bool) {
        self.change(|state| *state = State { refused_in_a_row: 0, were_accepted });
    }

    /// One more product was refused after `in_a_row` of its market, itself included; tells whether that is
    /// enough to blame the credentials.
    pub(crate) fn refused(&self, in_a_row: u32) -> bool {
        self.change(|state| {
            state.refused_in_a_row = state.refused_in_a_row.saturating_add(1);
            in_a_row.max(state.refused_in_a_row) >= REFUSED_MAX
        })
    }

    /// The upstream answered otherwise.
    pub(crate) fn accepted(&self) {
        self.change(|state| *state = State { refused_in_a_row: 0, were_accepted: true });
    }

    /// Whether any product of the run was not refused.
    pub(crate) fn were_accepted(&self) -> bool {
        self.change(|state| state.were_accepted)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
