//! The latest status as an event, rendered at most ten times a second for all subscribers together.

use std::time::Duration;

use bytes::Bytes;
use price_cache_engine::Handle;
use tokio::time::Instant;

use super::frames::event;
use crate::documents::status_document;

/// The shortest time between two statuses.
pub(super) const STATUS_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// The frame and when it was made.
#[derive(Default)]
pub(super) struct StatusFrames {
    made: Option<Instant>,
    /// Counts frames that differ from the one before.
    version: u64,
    frame: Bytes,
}

impl StatusFrames {
    /// The frame, made anew if it may or must be, and its version.
    pub(super) fn latest(&mut self, engine: &Handle, must: bool) -> (u64, Bytes) {
        let now = Instant::now();
        if must || self.renewable_at().is_none_or(|at| at <= now) {
            let frame =
                event("status", &status_document(&engine.snapshot(), engine.pace_limit(), engine.now()));
            self.made = Some(now);
            if frame.as_bytes() != self.frame {
                self.version += 1;
                self.frame = frame.into();
            }
        }
        (self.version, self.frame.clone())
    }

    /// When the frame may be made anew; `None` before the first one.
    pub(super) fn renewable_at(&self) -> Option<Instant> {
        self.made.map(|made| made + STATUS_INTERVAL_MIN)
    }
}
