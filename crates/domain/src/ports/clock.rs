//! Where times come from.

use crate::Timestamp;

/// Tells the wall-clock time. It may jump; durations are measured by the engine's own timer.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}
