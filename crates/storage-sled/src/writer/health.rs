//! Whether the handle can be written to, and how it is replaced when it cannot.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use price_cache_domain::StoreError;

use crate::OpenError;
use crate::database::Database;
use crate::error::from_io;
use crate::shared::{Shared, Slot};

/// The wait after the first failure; it doubles with each one.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// The longest wait between two attempts to write again.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long readers get to finish before a broken handle is left to the last of them.
const READERS_FINISH_MAX: Duration = Duration::from_secs(5);

/// The state of the handle, known to the storage thread alone.
#[derive(Debug)]
pub(crate) enum Health {
    Good,
    /// Writes fail with `error`; from `not_before` on the next one tries again.
    Bad {
        error: StoreError,
        failures: u32,
        not_before: Instant,
    },
}

impl Health {
    /// The store was opened, but there is no space for the reserve.
    pub(crate) fn without_reserve(error: StoreError, now: Instant) -> Self {
        Self::Bad { error, failures: 1, not_before: now + BACKOFF_FIRST }
    }

    /// A write failed: replaces the handle, so that reading goes on.
    pub(super) fn failed(&mut self, shared: &Shared, error: &StoreError, now: Instant) {
        let failures = match self {
            // Told again to whoever wrote before the time was due: nothing new happened.
            Self::Bad { error: known, .. } if known == error => return,
            Self::Bad { failures, .. } => failures.saturating_add(1),
            Self::Good => 1,
        };
        tracing::error!(%error, failures, "writing to the store failed; the database is opened anew");
        if matches!(error, StoreError::Full(_)) {
            shared.reserve.release();
        }
        close(shared.replace(Slot::Broken(error.clone())));
        if let Err(error) = reopen(shared) {
            tracing::error!(%error, "the database could not be opened anew");
        }
        *self = Self::Bad { error: error.clone(), failures, not_before: now + backoff(failures) };
    }

    /// The handle to write to. Where the last write failed and its wait is over, tries whether writing
    /// is possible again.
    pub(super) fn ready(&mut self, shared: &Shared, now: Instant) -> Result<Arc<Database>, StoreError> {
        if let Self::Bad { error, failures, not_before } = self {
            if now < *not_before {
                return Err(error.clone());
            }
            if let Err(still) = mend(shared) {
                *failures = failures.saturating_add(1);
                *not_before = now + backoff(*failures);
                *error = still.clone();
                return Err(still);
            }
            tracing::info!("the store can be written to again");
            *self = Self::Good;
        }
        shared.database()
    }

    /// Clearing frees the disk, so it may use the reserve.
    pub(super) fn prepare_clear(&mut self, shared: &Shared) {
        if matches!(self, Self::Bad { error: StoreError::Full(_), .. }) {
            shared.reserve.release();
        }
    }

    /// There is space now: the next write need not wait to try.
    pub(super) fn cleared(&mut self, now: Instant) {
        if let Self::Bad { not_before, .. } = self {
            *not_before = now;
        }
    }
}

fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    BACKOFF_FIRST.saturating_mul(1 << doublings).min(BACKOFF_MAX)
}

/// Opens the database where it is not open, and makes the reserve: that there is space for it is the
/// proof that there is space for writes.
fn mend(shared: &Shared) -> Result<(), StoreError> {
    if shared.database().is_err() {
        reopen(shared)?;
    }
    shared.reserve.ensure().map_err(|error| from_io(&error))
}

fn reopen(shared: &Shared) -> Result<(), StoreError> {
    let opened = match Database::open(&shared.folder, &shared.options) {
        Err(OpenError::Full { .. }) => {
            shared.reserve.release();
            Database::open(&shared.folder, &shared.options)
        }
        opened => opened,
    };
    match opened {
        Ok(database) => {
            shared.replace(Slot::Open(Arc::new(database)));
            Ok(())
        }
        Err(error) => {
            let error = error.into_store();
            shared.replace(Slot::Broken(error.clone()));
            Err(error)
        }
    }
}

/// Closes a handle once those who read with it are done. Sled locks its file, so another handle can be
/// opened only then.
pub(super) fn close(slot: Slot) {
    let Slot::Open(mut database) = slot else { return };
    let deadline = Instant::now() + READERS_FINISH_MAX;
    loop {
        match Arc::try_unwrap(database) {
            Ok(database) => return database.close(),
            Err(_) if Instant::now() >= deadline => {
                tracing::error!("a read still uses the broken database");
                return;
            }
            Err(in_use) => database = in_use,
        }
        thread::sleep(Duration::from_millis(1));
    }
}
