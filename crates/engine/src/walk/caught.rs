//! Turns a panic in a source into a failure of the product, not of the run.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use price_cache_domain::{FailureClass, Fault};

/// Returns the answer to a request; a panic in it is a failure like any other. The future that panicked is dropped, so its
/// state is never seen half done.
pub(crate) async fn caught<T>(request: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    AssertUnwindSafe(request).catch_unwind().await.unwrap_or_else(|_| {
        let message = "internal error: reading the answer panicked (see the log)";
        Err(Fault::new(FailureClass::InvalidAnswer, message))
    })
}
