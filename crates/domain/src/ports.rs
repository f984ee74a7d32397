//! The ports: what the engine needs from outside, as object-safe traits with a future of the
//! standard library alone.

mod clock;
mod maintenance;
mod source;
mod store;

use std::future::Future;
use std::pin::Pin;

pub use clock::Clock;
pub use maintenance::{
    CopyOutcome, FallbackCopy, PROBLEMS_MAX, Problem, RecordKey, StoreMaintenance, Verification,
};
pub use source::{Fault, Fetched, PageCursor, PriceSource, ProductLists, ProductPage, Quote, SkippedItems};
pub use store::{Store, StoreError};

/// A boxed future that may be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
