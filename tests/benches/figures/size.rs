//! How much is measured: enough for figures that repeat, or a taste of them while one works on the program.

use std::time::Duration;

/// How much is measured.
pub(crate) struct Size {
    /// How long one contestant is measured at a time.
    pub(crate) window: Duration,
    /// How often each contestant has its turn.
    pub(crate) rounds: usize,
    /// How many answers of the status are timed.
    pub(crate) status_answers: usize,
    /// The small catalogue: markets, and products of each.
    pub(crate) small: (u32, u32),
    /// The large catalogue: markets, and products of each.
    pub(crate) large: (u32, u32),
    /// The catalogue that the two stores are compared with: markets, and products of each.
    pub(crate) compared: (u32, u32),
    /// How often the server is killed and started again.
    pub(crate) kills: usize,
    /// How long each way to pace a run is watched.
    pub(crate) paced: Duration,
    /// How long a run at a polite pace is watched.
    pub(crate) polite: Duration,
}

impl Size {
    /// A million products.
    pub(crate) const fn full() -> Self {
        Self {
            window: Duration::from_secs(5),
            rounds: 5,
            status_answers: 2_000,
            small: (20, 500),
            large: (20, 50_000),
            compared: (16, 6_250),
            kills: 3,
            paced: Duration::from_secs(120),
            polite: Duration::from_secs(60),
        }
    }

    /// A hundred thousand products and short windows.
    pub(crate) const fn quick() -> Self {
        Self {
            window: Duration::from_secs(2),
            rounds: 3,
            status_answers: 500,
            small: (20, 500),
            large: (20, 5_000),
            compared: (16, 1_250),
            kills: 2,
            paced: Duration::from_secs(45),
            polite: Duration::from_secs(20),
        }
    }
}
