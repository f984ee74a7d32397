//! A defect in a source costs the product that met it, not the run.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use price_cache_domain::{FailureClass, Fault};

/// What comes of a request; a panic in it is a failure like any other. What is panicked over is dropped, so nothing
/// of it is ever seen half done.
pub(crate) async fn caught<T>(request: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    AssertUnwindSafe(request).catch_unwind().await.unwrap_or_else(|_| {
        let message = "reading the answer ended by a defect in this program, see its log";
        Err(Fault::new(FailureClass::InvalidAnswer, message))
    })
}
