//! The contract that every store passes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use price_cache_domain::{BoxFuture, Store};
use price_cache_storage_sled::{SledOptions, SledStore};
use price_cache_testkit::store_contract::Harness;
use tempfile::TempDir;

/// Every store in a folder of its own under one that is deleted at the end.
struct Folders {
    root: TempDir,
    opened: AtomicU32,
}

impl Folders {
    fn new() -> Self {
        Self { root: TempDir::new().unwrap(), opened: AtomicU32::new(0) }
    }

    fn open_latest(&self) -> Arc<dyn Store> {
        let path: PathBuf = self.root.path().join(self.opened.load(Ordering::SeqCst).to_string());
        let options = SledOptions { reserve_bytes: 4_096, ..SledOptions::new(path) };
        Arc::new(SledStore::open(options).unwrap())
    }
}

impl Harness for Folders {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { self.open_latest() })
    }

    fn reopen(&self, store: Arc<dyn Store>) -> BoxFuture<'_, Arc<dyn Store>> {
        drop(store);
        Box::pin(async { self.open_latest() })
    }
}

price_cache_testkit::store_contract_tests!(Folders::new());
