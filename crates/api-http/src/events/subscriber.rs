//! One open stream: what it has seen, and what it is sent next.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use price_cache_engine::Snapshot;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::frames::{HEARTBEAT, happened, missed, status};
use crate::app::App;
use crate::latest_status::STATUS_REUSED_FOR;

/// Entries of the event log in one piece of the stream at most.
const ENTRIES_MAX: usize = 512;

/// How the stream goes while nothing happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// A sign of life after this long without any other.
    pub(crate) heartbeat: Duration,
    /// Times in the status move on while nothing happens; it is looked at again this often.
    pub(crate) refresh: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(15), refresh: Duration::from_secs(1) }
    }
}

/// One open stream.
pub(crate) struct Subscriber {
    app: App,
    timing: Timing,
    /// Everything up to this number was sent.
    seen: u64,
    /// The version of the status that was sent.
    status: Option<u64>,
    /// Whether the next status must be of this very moment, as at the beginning and at the end.
    fresh: bool,
    /// What is sent before anything else.
    preface: String,
    snapshots: watch::Receiver<Snapshot>,
    events: watch::Receiver<u64>,
    last_sent: Instant,
    phase: Phase,
    _place: OwnedSemaphorePermit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Something is to be sent at once.
    Due,
    /// Waits for something to happen.
    Waits,
    /// Nothing is sent any more.
    Ended,
}

/// What ended a wait.
enum Woken {
    Changed,
    Heartbeat,
    Ending,
}

impl Subscriber {
    /// A stream that goes on after the event `last_id`, if that is known, and otherwise begins now.
    pub(crate) fn new(app: App, place: OwnedSemaphorePermit, last_id: Option<&str>, timing: Timing) -> Self {
        let (snapshots, events) = (app.engine.subscribe(), app.engine.event_log().subscribe());
        let position = last_id.map(|id| app.events.instance.position(id, app.engine.event_log()));
        let preface = if position == Some(None) { ": what came before is not kept any more\n\n" } else { "" };
        let seen = position.flatten().unwrap_or_else(|| app.engine.event_log().latest());
        Self {
            app,
            timing,
            seen,
            status: None,
            fresh: true,
            preface: preface.to_owned(),
            snapshots,
            events,
            last_sent: Instant::now(),
            phase: Phase::Due,
            _place: place,
        }
    }

    /// The next piece of the stream; `None` at its end. One that is never asked for keeps nothing but
    /// its place: what it misses stays in the event log until newer entries push it out.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            let woken = match self.phase {
                Phase::Ended => return None,
                Phase::Due => Woken::Changed,
                Phase::Waits => self.wake().await,
            };
            if matches!(woken, Woken::Ending) {
                self.phase = Phase::Ended;
                self.fresh = true;
            } else {
                self.phase = Phase::Waits;
            }
            let mut piece = self.news();
            if piece.is_empty() && matches!(woken, Woken::Heartbeat) {
                piece.extend_from_slice(HEARTBEAT.as_bytes());
            }
            if !piece.is_empty() {
                self.last_sent = Instant::now();
                return Some(piece.freeze());
            }
        }
    }

    /// Waits for something to happen, and then until enough time has gone by since the last piece.
    async fn wake(&mut self) -> Woken {
        let ending = self.app.events.ending.clone();
        let refresh = Instant::now() + self.timing.refresh;
        let woken = tokio::select! {
            biased;
            () = ending.cancelled() => Woken::Ending,
            () = sleep_until(self.last_sent + self.timing.heartbeat) => Woken::Heartbeat,
            changed = self.snapshots.changed() => match changed {
                Ok(()) => Woken::Changed,
                Err(_) => Woken::Ending,
            },
            // The engine's end is told by the snapshots.
            Ok(()) = self.events.changed() => Woken::Changed,
            () = sleep_until(refresh) => Woken::Changed,
        };
        if !matches!(woken, Woken::Changed) {
            return woken;
        }
        // A status of before this change may be the latest that can be had for a moment.
        let renewable = self.app.status.renewable_at();
        let earliest = self.last_sent + STATUS_REUSED_FOR;
        let in_time = until_or_ended(renewable.map_or(earliest, |at| at.max(earliest)), &ending).await;
        if in_time { woken } else { Woken::Ending }
    }

    /// What happened since the last piece, in order, and the status where it is another now.
    fn news(&mut self) -> BytesMut {
        let mut piece = BytesMut::from(std::mem::take(&mut self.preface).as_bytes());
        let events = &self.app.events;
        let entries = self.app.engine.event_log().after(self.seen, ENTRIES_MAX);
        if let Some(first) = entries.first().filter(|first| first.sequence > self.seen + 1) {
            piece.extend_from_slice(missed(first.sequence - self.seen - 1).as_bytes());
        }
        for entry in &entries {
            let event = entry.rendered(|event| happened(&self.app.engine, event));
            piece.extend_from_slice(format!("id: {}\n", events.instance.id(entry.sequence)).as_bytes());
            piece.extend_from_slice(event.as_bytes());
            self.seen = entry.sequence;
        }
        if entries.len() == ENTRIES_MAX && self.phase == Phase::Waits {
            self.phase = Phase::Due;
        }
        let latest = &self.app.status;
        let latest = if std::mem::take(&mut self.fresh) { latest.fresh() } else { latest.recent() };
        match latest {
            Ok(latest) if self.status == Some(latest.version) => {}
            Ok(latest) => {
                self.status = Some(latest.version);
                piece.extend_from_slice(format!("id: {}\n", events.instance.id(self.seen)).as_bytes());
                status(&mut piece, &latest.json);
            }
            Err(error) => tracing::error!(%error, "the status could not be written"),
        }
        piece
    }
}

/// False when the end came first.
async fn until_or_ended(at: Instant, ending: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = ending.cancelled() => false,
        () = sleep_until(at) => true,
    }
}
