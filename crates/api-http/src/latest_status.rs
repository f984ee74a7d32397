//! The status as JSON, made once for everyone who asks within a tenth of a second: of hundreds of markets it takes
//! milliseconds, and any number of clients may ask for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use price_cache_engine::Handle;
use tokio::time::Instant;

use crate::documents::status_document;

/// How long a status that was made is given to others as well.
pub(crate) const STATUS_REUSED_FOR: Duration = Duration::from_millis(100);

/// A status of this age is renewed in the background, so that a client that asks often never waits for it.
const RENEWED_AHEAD_AFTER: Duration = Duration::from_millis(50);

/// The latest status that was made. Clones share it.
#[derive(Clone)]
pub(crate) struct LatestStatus {
    engine: Handle,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    made: Mutex<Option<Made>>,
    /// Held while one is made; others wait for that instead of making it as well.
    making: Mutex<()>,
    is_renewed_ahead: AtomicBool,
}

/// A status document.
#[derive(Clone, Debug)]
pub(crate) struct StatusJson {
    /// Counts the documents that differ from the one before.
    pub(crate) version: u64,
    /// The text, on one line.
    pub(crate) json: Bytes,
}

#[derive(Clone)]
struct Made {
    /// When it was begun: it tells of everything before that.
    at: Instant,
    /// How often the state had changed before.
    state_changes: u64,
    status: StatusJson,
}

impl LatestStatus {
    pub(crate) fn new(engine: Handle) -> Self {
        Self { engine, shared: Arc::default() }
    }

    /// Of this very moment.
    pub(crate) fn fresh(&self) -> serde_json::Result<StatusJson> {
        self.made_since(Instant::now())
    }

    /// As it was a tenth of a second ago at most, whatever happened since.
    pub(crate) fn recent(&self) -> serde_json::Result<StatusJson> {
        let now = Instant::now();
        self.made_since(now.checked_sub(STATUS_REUSED_FOR).unwrap_or(now))
    }

    /// As it was a tenth of a second ago at most, and after every change of the run's state: only its progress may have
    /// gone on meanwhile. Needs a tokio runtime.
    pub(crate) fn current(&self) -> serde_json::Result<StatusJson> {
        let state_changes = self.engine.event_log().state_changes();
        let is_current =
            |made: &Made| made.state_changes == state_changes && made.at.elapsed() < STATUS_REUSED_FOR;
        match self.latest().filter(is_current) {
            Some(made) => {
                if made.at.elapsed() >= RENEWED_AHEAD_AFTER {
                    self.renew_ahead();
                }
                Ok(made.status)
            }
            None => self.fresh(),
        }
    }

    /// When [`recent`](Self::recent) will be another one; `None` when it is so now.
    pub(crate) fn renewable_at(&self) -> Option<Instant> {
        self.latest().map(|made| made.at + STATUS_REUSED_FOR)
    }

    fn latest(&self) -> Option<Made> {
        lock(&self.shared.made).clone()
    }

    /// The latest one if it was begun after `since`, or else a new one.
    fn made_since(&self, since: Instant) -> serde_json::Result<StatusJson> {
        let is_enough = |made: &Made| made.at > since;
        if let Some(made) = self.latest().filter(is_enough) {
            return Ok(made.status);
        }
        let _making = lock(&self.shared.making);
        let before = self.latest();
        if let Some(made) = before.as_ref().filter(|made| is_enough(made)) {
            return Ok(made.status.clone());
        }
        let (at, state_changes) = (Instant::now(), self.engine.event_log().state_changes());
        let document = status_document(&self.engine.snapshot(), self.engine.pace_limit(), self.engine.now());
        let json = serde_json::to_vec(&document)?;
        let status = match before.map(|before| before.status) {
            Some(same) if same.json == json => same,
            before => {
                StatusJson { version: before.map_or(1, |before| before.version + 1), json: json.into() }
            }
        };
        *lock(&self.shared.made) = Some(Made { at, state_changes, status: status.clone() });
        Ok(status)
    }

    fn renew_ahead(&self) {
        if self.shared.is_renewed_ahead.swap(true, Ordering::Relaxed) {
            return;
        }
        let latest = self.clone();
        tokio::task::spawn_blocking(move || {
            // The next request reports an error.
            let _ = latest.fresh();
            latest.shared.is_renewed_ahead.store(false, Ordering::Relaxed);
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use price_cache_domain::Actor;
    use price_cache_engine::Snapshot;
    use price_cache_testkit::ScriptedSource;
    use serde_json::Value;

    use super::*;
    use crate::test_engine::engine;

    fn document(status: serde_json::Result<StatusJson>) -> Value {
        serde_json::from_slice(&status.unwrap().json).unwrap()
    }

    fn completed(status: &Value) -> u64 {
        status["markets"]["at"]["completed"].as_u64().unwrap()
    }

    /// A run under way, whose every product takes 10 ms.
    async fn running() -> (Handle, LatestStatus) {
        let source = ScriptedSource::new().with_numbered("at", 1_000);
        source.set_delay(Box::new(|_, _, _| Box::pin(tokio::time::sleep(Duration::from_millis(10)))));
        let engine = engine(source).await;
        engine.start(Actor::named("test")).await.unwrap();
        let mut snapshots = engine.subscribe();
        let is_walking = |now: &Snapshot| now.markets.iter().any(|market| market.progress.completed() > 0);
        snapshots.wait_for(is_walking).await.unwrap();
        (engine.clone(), LatestStatus::new(engine))
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_told_anew_after_a_tenth_of_a_second() {
        let (_, latest) = running().await;
        let first = document(latest.current());
        tokio::time::sleep(Duration::from_millis(95)).await;
        assert_eq!(document(latest.current()), first, "others are given the same one");
        assert!(completed(&document(latest.fresh())) > completed(&first), "the run went on meanwhile");
        let (_, latest) = running().await;
        let first = completed(&document(latest.current()));
        tokio::time::sleep(Duration::from_millis(105)).await;
        assert!(completed(&document(latest.current())) > first);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_command_changed_shows_at_once() {
        let (engine, latest) = running().await;
        let state = |status: &Value| status["current_state"]["status"].as_str().unwrap().to_owned();
        assert_eq!(state(&document(latest.current())), "PROCESSING");
        for _ in 0..3 {
            engine.stop(Actor::named("test")).await.unwrap();
            let at_rest = document(latest.current());
            assert_eq!(state(&at_rest), "PAUSED");
            assert_eq!(
                completed(&at_rest),
                engine.snapshot().markets[0].progress.completed(),
                "a run that rests is told exactly"
            );
            engine.start(Actor::named("test")).await.unwrap();
            assert_eq!(state(&document(latest.current())), "PROCESSING");
        }
        engine.stop(Actor::named("test")).await.unwrap();
        engine.reset(Actor::named("test"), false).await.unwrap();
        assert_eq!(state(&document(latest.current())), "IDLE");
    }
}
