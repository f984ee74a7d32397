//! Has the store make its copy to fall back on: after each completed run, and when the program ends.

use std::sync::Arc;
use std::time::Duration;

use price_cache_domain::{Clock, CopyOutcome, RunStatus, StoreMaintenance};
use price_cache_engine::{Handle, Snapshot};

use crate::system_clock::SystemClock;

/// How long the end of the program waits for a copy. One that takes longer is given up; the one before stays.
pub(crate) const AT_END_MAX: Duration = Duration::from_secs(2);

/// Makes a copy after each completed run, as long as the engine lives.
pub(crate) async fn after_each_run(engine: Handle, store: Arc<dyn StoreMaintenance>) {
    let mut changes = engine.subscribe();
    let is_completed = |snapshot: &Snapshot| snapshot.run.status() == RunStatus::Completed;
    loop {
        // A run that was complete before the program began has been copied, or is copied at the next stop.
        if changes.wait_for(|snapshot| !is_completed(snapshot)).await.is_err()
            || changes.wait_for(is_completed).await.is_err()
        {
            return;
        }
        make(&*store, None).await;
    }
}

/// Makes a copy if one is due, and tells the log what came of it.
pub(crate) async fn make(store: &dyn StoreMaintenance, at_most: Option<Duration>) {
    match store.make_fallback_copy(SystemClock.now(), at_most).await {
        Ok(CopyOutcome::Made(copy)) => {
            tracing::info!(
                entries = copy.entries,
                bytes = copy.bytes,
                "made a copy of the store to fall back on"
            );
        }
        Ok(CopyOutcome::Off | CopyOutcome::NotDue) => {}
        Ok(CopyOutcome::TooLarge) => {
            tracing::warn!(
                "the copy of the store would be larger than storage.fallback_copy.size_max_mib; there is none"
            );
        }
        Ok(CopyOutcome::Abandoned) => {
            tracing::info!(
                "the copy of the store was given up: the store changed, or time or space was short"
            );
        }
        Err(error) => {
            tracing::error!(%error, "the copy of the store could not be made; the one before stays")
        }
    }
}
