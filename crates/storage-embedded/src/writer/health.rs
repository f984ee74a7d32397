//! Whether the handle can be written to, and how it is replaced when it cannot.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use price_cache_domain::StoreError;

use super::State;
use crate::error::from_io;
use crate::open;
use crate::shared::{Handle, Shared, Slot};
use crate::space::make_room_to_open;
use crate::{Backend, OpenError};

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

    /// The store can only be read until there is space.
    pub(crate) fn read_only(now: Instant) -> Self {
        Self::without_reserve(
            StoreError::Full("there is too little space to open the store for writing".to_owned()),
            now,
        )
    }

    pub(super) fn is_good(&self) -> bool {
        matches!(self, Self::Good)
    }

    /// A write failed: replaces the handle, so that reading goes on. Returns what is known of the new one.
    pub(super) fn failed<B: Backend>(
        &mut self,
        shared: &Shared<B>,
        error: &StoreError,
        now: Instant,
    ) -> Option<State> {
        let failures = match self {
            // Told again to a caller that wrote before the time was due: nothing new happened.
            Self::Bad { error: known, .. } if known == error => return None,
            Self::Bad { failures, .. } => failures.saturating_add(1),
            Self::Good => 1,
        };
        tracing::error!(%error, failures, "writing to the store failed; the database is opened again");
        *self = Self::Bad { error: error.clone(), failures, not_before: now + backoff(failures) };
        close(shared.replace(Slot::Broken(error.clone())));
        let reopened = reopen(shared);
        reopened.inspect_err(|error| tracing::error!(%error, "the database could not be opened again")).ok()
    }

    /// Returns the handle to write to, and what is known of it where it is a new one. Where the last write failed and its
    /// wait is over, tries whether writing is possible again.
    pub(super) fn ready<B: Backend>(
        &mut self,
        shared: &Shared<B>,
        now: Instant,
    ) -> Result<(Arc<Handle<B>>, Option<State>), StoreError> {
        let mut mended = None;
        if let Self::Bad { error, failures, not_before } = self {
            if now < *not_before {
                return Err(error.clone());
            }
            match mend(shared) {
                Ok(state) => mended = state,
                Err(still) => {
                    *failures = failures.saturating_add(1);
                    *not_before = now + backoff(*failures);
                    *error = still.clone();
                    return Err(still);
                }
            }
            tracing::info!("the store can be written to again");
            *self = Self::Good;
        }
        Ok((shared.handle()?, mended))
    }

    /// Clearing frees the disk, so it may use the reserve.
    pub(super) fn prepare_clear<B: Backend>(&mut self, shared: &Shared<B>) {
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

/// Opens the database where it is not open for writing, and makes the reserve: that there is space for it is the proof that
/// there is space for writes.
fn mend<B: Backend>(shared: &Shared<B>) -> Result<Option<State>, StoreError> {
    let can_write = |handle: Arc<Handle<B>>| !handle.is_look;
    if shared.handle().is_ok_and(can_write) {
        shared.reserve.ensure().map_err(|error| from_io(&error))?;
        return Ok(None);
    }
    // Where there is no room, reading goes on with the present handle.
    make_room_to_open::<B>(&shared.folder, &shared.reserve)?;
    // Some databases lock their file: a handle that can only be read gives way first.
    close(shared.replace(Slot::Broken(StoreError::Io("the store is being opened again".to_owned()))));
    let state = reopen(shared)?;
    if shared.handle().is_ok_and(can_write) {
        shared.reserve.ensure().map_err(|error| from_io(&error))?;
        return Ok(Some(state));
    }
    Err(StoreError::Full("there is too little space to open the store for writing".to_owned()))
}

/// Opens the newest generation and puts the handle in place.
pub(super) fn reopen<B: Backend>(shared: &Shared<B>) -> Result<State, StoreError> {
    match open::open::<B>(&shared.folder, &shared.options, &shared.reserve).map_err(OpenError::into_store) {
        Ok(opened) => {
            let (handle, state) = State::of(opened);
            shared.replace(Slot::Open(Arc::new(handle)));
            Ok(state)
        }
        Err(error) => {
            shared.replace(Slot::Broken(error.clone()));
            Err(error)
        }
    }
}

/// Closes a handle once those who read with it are done, as a database locks its file. Returns whether that went well.
pub(super) fn close<B: Backend>(slot: Slot<B>) -> bool {
    let Slot::Open(mut handle) = slot else { return false };
    let deadline = Instant::now() + READERS_FINISH_MAX;
    loop {
        match Arc::try_unwrap(handle) {
            Ok(handle) => {
                let closed = handle.close();
                if let Err(error) = &closed {
                    tracing::error!(%error, "closing the database failed");
                }
                return closed.is_ok();
            }
            Err(_) if Instant::now() >= deadline => {
                tracing::error!("a read still uses the broken database");
                return false;
            }
            Err(in_use) => handle = in_use,
        }
        thread::sleep(Duration::from_millis(1));
    }
}
