//! The contract that every store passes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use price_cache_domain::{BoxFuture, Store};
use price_cache_testkit::store_contract::{Harness, Hold};
use tempfile::TempDir;

use super::sample::options;
use crate::{Backend, EmbeddedOptions, EmbeddedStore};

/// Every store in a folder of its own under one that is deleted at the end.
#[derive(Debug)]
pub struct Folders<B> {
    root: TempDir,
    opened: AtomicU32,
    kind: std::marker::PhantomData<fn() -> B>,
}

impl<B: Backend> Folders<B> {
    /// Makes the folder.
    #[must_use]
    pub fn new() -> Self {
        Self { root: TempDir::new().unwrap(), opened: AtomicU32::new(0), kind: std::marker::PhantomData }
    }

    fn latest(&self) -> EmbeddedOptions {
        let path: PathBuf = self.root.path().join(self.opened.load(Ordering::SeqCst).to_string());
        EmbeddedOptions { reserve_bytes: 4_096, ..options(&path) }
    }

    fn open_latest(&self) -> Arc<dyn Store> {
        Arc::new(EmbeddedStore::<B>::open(self.latest()).unwrap())
    }
}

impl<B: Backend> Default for Folders<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backend> Harness for Folders<B> {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { self.open_latest() })
    }

    fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>> {
        drop(store);
        Box::pin(async { self.open_latest() })
    }

    fn open_slow(&self) -> BoxFuture<'_, (Arc<dyn Store>, Arc<dyn Hold>)> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let hold = Arc::new(Barrier::default());
        let (mut options, at_commit) = (self.latest(), Arc::clone(&hold));
        options.backend.before_commit = Some(Arc::new(move || at_commit.pass()));
        let store = EmbeddedStore::<B>::open(options).unwrap();
        Box::pin(async { (Arc::new(store) as Arc<dyn Store>, hold as Arc<dyn Hold>) })
    }
}

/// Keeps groups from being committed.
#[derive(Debug, Default)]
struct Barrier {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    is_waiting: bool,
}

impl Barrier {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        while state.is_closed {
            state.is_waiting = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap();
        }
        state.is_waiting = false;
    }

    fn set(&self, is_closed: bool) {
        self.state.lock().unwrap().is_closed = is_closed;
        self.changed.notify_all();
    }
}

impl Hold for Barrier {
    fn hold(&self) {
        self.set(true);
    }

    fn wait_until_held(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.is_waiting {
            state = self.changed.wait(state).unwrap();
        }
    }

    fn release(&self) {
        self.set(false);
    }
}
