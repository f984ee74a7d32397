//! Waiting for what a test expects, with an end.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long anything may take that should take moments: generous, for machines that do much else.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks.
const INTERVAL: Duration = Duration::from_millis(5);

/// Looks until `look` finds something, at most `patience` long.
///
/// # Errors
/// The last error of `look` or that there was nothing to see, with `what` was waited for.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        let seen = look().await;
        let is_late = Instant::now() >= deadline;
        match seen {
            Ok(Some(found)) => return Ok(found),
            Ok(None) if is_late => bail!("waited {patience:?} in vain: {what}"),
            Err(error) if is_late => {
                return Err(error).with_context(|| format!("waited {patience:?} in vain: {what}"));
            }
            Ok(None) | Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}

/// Waits for a future, at most [`PATIENCE`] long.
///
/// # Errors
/// With `what` was waited for.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .with_context(|| format!("waited {PATIENCE:?} in vain: {what}"))
}
