//! The status as JSON, made once for everyone who asks within a tenth of a second: of hundreds of markets it takes
//! milliseconds, and any number of clients may ask for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use price_cache_domain::{RunFacts, RunId, RunStatus};
use price_cache_engine::{Handle, Snapshot};
use tokio::time::Instant;

use crate::documents::status_document;

/// How long a status that was made is given to others as well.
pub(crate) const STATUS_REUSED_FOR: Duration = Duration::from_millis(100);

/// The latest status that was made.
#[derive(Debug, Default)]
pub(crate) struct LatestStatus(Mutex<Option<Made>>);

/// A status document.
#[derive(Clone, Debug)]
pub(crate) struct StatusJson {
    /// Counts the documents that differ from the one before.
    pub(crate) version: u64,
    /// The text, on one line.
    pub(crate) json: Bytes,
}

#[derive(Debug)]
struct Made {
    at: Instant,
    phase: Phase,
    status: StatusJson,
}

/// What a client who changes it sees at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    run: Option<RunId>,
    status: RunStatus,
    stop_requested: bool,
}

impl Phase {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            run: snapshot.run.facts().map(RunFacts::id),
            status: snapshot.run.status(),
            stop_requested: snapshot.stop_requested,
        }
    }

    /// Whether nothing but progress is made.
    fn is_steady(self) -> bool {
        self.status == RunStatus::Processing && !self.stop_requested
    }
}

impl LatestStatus {
    /// Of this very moment.
    pub(crate) fn fresh(&self, engine: &Handle) -> serde_json::Result<StatusJson> {
        renew(&mut self.made(), engine)
    }

    /// As it was a tenth of a second ago at most, whatever happened since.
    pub(crate) fn recent(&self, engine: &Handle) -> serde_json::Result<StatusJson> {
        let mut made = self.made();
        match &*made {
            Some(latest) if latest.is_recent() => Ok(latest.status.clone()),
            _ => renew(&mut made, engine),
        }
    }

    /// As it was a tenth of a second ago at most, and after every command that was answered. Only the progress of a
    /// run that is under way may have gone on meanwhile.
    pub(crate) fn current(&self, engine: &Handle) -> serde_json::Result<StatusJson> {
        let phase = engine.read_snapshot(Phase::of);
        let mut made = self.made();
        match &*made {
            Some(latest) if latest.is_recent() && latest.phase == phase && phase.is_steady() => {
                Ok(latest.status.clone())
            }
            _ => renew(&mut made, engine),
        }
    }

    /// When [`recent`](Self::recent) will be another one; `None` when it is so now.
    pub(crate) fn renewable_at(&self) -> Option<Instant> {
        self.made().as_ref().map(|made| made.at + STATUS_REUSED_FOR)
    }

    fn made(&self) -> MutexGuard<'_, Option<Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the status of now, for which others wait meanwhile instead of making it as well.
fn renew(made: &mut Option<Made>, engine: &Handle) -> serde_json::Result<StatusJson> {
    let at = Instant::now();
    let snapshot = engine.snapshot();
    let json = serde_json::to_vec(&status_document(&snapshot, engine.pace_limit(), engine.now()))?;
    let status = match made.take().map(|made| made.status) {
        Some(same) if same.json == json => same,
        before => {
            let version = before.map_or(1, |before| before.version + 1);
            StatusJson { version, json: json.into() }
        }
    };
    *made = Some(Made { at, phase: Phase::of(&snapshot), status: status.clone() });
    Ok(status)
}

impl Made {
    fn is_recent(&self) -> bool {
        self.at.elapsed() < STATUS_REUSED_FOR
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use price_cache_domain::Actor;
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
        (engine, LatestStatus::default())
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_told_anew_after_a_tenth_of_a_second() {
        let (engine, latest) = running().await;
        let first = document(latest.current(&engine));
        tokio::time::sleep(Duration::from_millis(95)).await;
        assert_eq!(document(latest.current(&engine)), first, "others are given the same one");
        assert!(completed(&document(latest.fresh(&engine))) > completed(&first), "the run went on meanwhile");
        let (engine, latest) = running().await;
        let first = completed(&document(latest.current(&engine)));
        tokio::time::sleep(Duration::from_millis(105)).await;
        assert!(completed(&document(latest.current(&engine))) > first);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_command_changed_shows_at_once() {
        let (engine, latest) = running().await;
        let state = |status: &Value| status["current_state"]["status"].as_str().unwrap().to_owned();
        assert_eq!(state(&document(latest.current(&engine))), "PROCESSING");
        for _ in 0..3 {
            engine.stop(Actor::named("test")).await.unwrap();
            let at_rest = document(latest.current(&engine));
            assert_eq!(state(&at_rest), "PAUSED");
            assert_eq!(
                completed(&at_rest),
                engine.read_snapshot(|now| now.markets[0].progress.completed()),
                "a run that rests is told exactly"
            );
            engine.start(Actor::named("test")).await.unwrap();
            assert_eq!(state(&document(latest.current(&engine))), "PROCESSING");
        }
        engine.stop(Actor::named("test")).await.unwrap();
        engine.reset(Actor::named("test"), false).await.unwrap();
        assert_eq!(state(&document(latest.current(&engine))), "IDLE");
    }
}
