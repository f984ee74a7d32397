//! Live events for any number of pages: a bounded number of subscribers, who share what is rendered and
//! never hold anything up.

mod frames;
mod position;
mod subscriber;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::position::Instance;
pub(crate) use self::subscriber::{Subscriber, Timing};

/// What all subscribers share.
pub(crate) struct Events {
    instance: Instance,
    places: Arc<Semaphore>,
    places_max: usize,
    /// Ends every stream.
    ending: CancellationToken,
}

impl Events {
    pub(crate) fn new(subscribers_max: usize) -> Self {
        Self {
            instance: Instance::new(),
            places: Arc::new(Semaphore::new(subscribers_max)),
            places_max: subscribers_max,
            ending: CancellationToken::new(),
        }
    }

    /// A place for one more subscriber; `None` when all are taken.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// How many there are.
    pub(crate) fn subscribers(&self) -> usize {
        self.places_max.saturating_sub(self.places.available_permits())
    }

    /// How many there may be.
    pub(crate) const fn subscribers_max(&self) -> usize {
        self.places_max
    }

    /// Sends every subscriber what it has not seen yet, and ends the streams.
    pub(crate) fn end(&self) {
        self.ending.cancel();
    }
}
