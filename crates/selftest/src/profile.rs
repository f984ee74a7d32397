//! Where the kills of a self-test go, and what each may cost.

/// `run.max_unsynced_writes`: what a kill may cost per active market at most, the request in flight included.
pub const UNSYNCED_WRITES_MAX: u32 = 16;

/// Where the kills of a self-test go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Half as [`Walks`](Self::Walks), half as [`Starts`](Self::Starts).
    #[default]
    Mixed,
    /// One run over a store that is as large as it takes; one kill in four hits a server that is starting.
    Walks,
    /// Small stores and up to ten runs over each; seven kills in ten hit a server that is starting, most of them in the
    /// first 30 ms, so that most starts follow a start that was killed.
    Starts,
}

impl Profile {
    /// Returns how many of the kills are of small stores.
    pub(crate) const fn of_small_stores(self, kills: u32) -> u32 {
        match self {
            Self::Mixed => kills / 2,
            Self::Walks => 0,
            Self::Starts => kills,
        }
    }
}
