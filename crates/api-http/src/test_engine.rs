//! An engine for unit tests, over a store in memory and by a clock that tests command.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use price_cache_engine::{CacheService, Handle, Options, Ports};
use price_cache_testkit::{ManualClock, MemoryStore, ScriptedSource};

/// An engine with nothing in its store.
pub(crate) async fn engine(source: ScriptedSource) -> Handle {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
    let ports = Ports { store, source: Arc::new(source), clock };
    CacheService::new(ports, Options::default()).open().await.unwrap().0
}
