//! The event log: transitions and requests in the order in which they happen, for readers who follow along at their own
//! pace. A reader who is too slow misses entries and sees it by the numbers; the run never waits for one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use price_cache_domain::{
    Actor, Change, Event, EventKind, Hook, MarketId, Outcome, RunStatus, RunTable, Timestamp,
};
use tokio::sync::watch;

use crate::view::request_log::LoggedRequest;

/// Entries kept for readers who fall behind or come back.
pub const EVENTS_KEPT_MAX: usize = 4_096;

/// Transitions kept, the newest, however many requests came after them.
pub const TRANSITIONS_KEPT_MAX: usize = 200;

/// A change of the run's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Timestamp,
    /// The state before.
    pub from: RunStatus,
    /// The state after; the same one where only the logs were deleted.
    pub to: RunStatus,
    /// What happened.
    pub event: EventKind,
    /// Who caused it.
    pub actor: Actor,
    /// Why, where the event has a reason: why it was paused, what failed, what is retried.
    pub reason: Option<String>,
}

impl Transition {
    /// `None` for the events of single products and markets, which leave the state as it is.
    fn of(change: &Change<'_, RunTable>) -> Option<Self> {
        let event = change.event.kind();
        if matches!(event, EventKind::ProductDone | EventKind::MarketDone) {
            return None;
        }
        let reason = match change.event {
            Event::Stop { reason } => Some(reason.to_string()),
            Event::Fail { failure } => Some(failure.message.clone()),
            Event::RetryFailed { filter } => {
                let parts = [
                    filter.market.as_ref().map(|market| format!("market {market}")),
                    filter.class.map(|class| format!("class {class}")),
                ];
                let parts: Vec<_> = parts.into_iter().flatten().collect();
                (!parts.is_empty()).then(|| parts.join(", "))
            }
            Event::Start { .. }
            | Event::PlanComplete { .. }
            | Event::ProductDone
            | Event::MarketDone
            | Event::LastMarketDone
            | Event::RetryDue
            | Event::Reset
            | Event::ClearLogs => None,
        };
        Some(Self {
            at: change.at,
            from: change.from.status(),
            to: change.to.status(),
            event,
            actor: change.actor.clone(),
            reason,
        })
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineEvent {
    /// The run changed its state.
    Transition(Transition),
    /// A request whose record is durable.
    Request(LoggedRequest),
}

/// One event.
#[derive(Debug)]
pub struct LoggedEvent {
    /// Counts up by one from 1 since the service was opened.
    pub sequence: u64,
    /// What happened.
    pub event: EngineEvent,
    rendered: OnceLock<Box<str>>,
}

impl LoggedEvent {
    /// The entry as a text, made by the first reader and shared by all others.
    pub fn rendered(&self, render: impl FnOnce(&EngineEvent) -> String) -> &str {
        self.rendered.get_or_init(|| render(&self.event).into_boxed_str())
    }
}

/// A product's outcome as it becomes durable.
#[derive(Clone, Copy, Debug)]
pub struct Settled<'a> {
    /// The market.
    pub market: &'a MarketId,
    /// The product's earlier outcome in the same run, when it was retried.
    pub replaced: Option<&'a Outcome>,
    /// What became of it.
    pub outcome: &'a Outcome,
}

type Observer = Box<dyn Fn(Settled<'_>) + Send + Sync>;

/// The newest happenings.
pub struct EventLog {
    kept: Mutex<Kept>,
    latest: watch::Sender<u64>,
    state_changes: AtomicU64,
    observers: RwLock<Vec<Observer>>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Arc<LoggedEvent>>,
    transitions: VecDeque<Transition>,
}

impl Default for EventLog {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            latest: watch::Sender::new(0),
            state_changes: AtomicU64::new(0),
            observers: RwLock::default(),
        }
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventLog").field("latest", &self.latest()).finish_non_exhaustive()
    }
}

impl EventLog {
    /// The sequence number of the newest entry; 0 before the first.
    pub fn latest(&self) -> u64 {
        *self.latest.borrow()
    }

    /// A receiver that wakes at each new entry.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// The entries after `sequence`, oldest first, at most `limit`. The first one has a higher number
    /// than `sequence + 1` when those between are not kept any more.
    pub fn after(&self, sequence: u64, limit: usize) -> Vec<Arc<LoggedEvent>> {
        let kept = self.kept();
        let first = kept.entries.front().map_or(0, |entry| entry.sequence);
        let skip = usize::try_from((sequence + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        kept.entries.iter().skip(skip).take(limit).cloned().collect()
    }

    /// The kept transitions, newest first.
    pub fn transitions(&self) -> Vec<Transition> {
        self.kept().transitions.iter().rev().cloned().collect()
    }

    /// Counts the changes of what the snapshot says of the run besides its progress, from 0 on; a change is in the
    /// snapshot before it is counted. Waits for nobody.
    pub fn state_changes(&self) -> u64 {
        self.state_changes.load(Ordering::Acquire)
    }

    /// The snapshot says something else of the run now.
    pub(crate) fn state_changed(&self) {
        self.state_changes.fetch_add(1, Ordering::Release);
    }

    /// Has `observer` see each outcome from now on, with any others; it must not block.
    pub fn observe(&self, observer: impl Fn(Settled<'_>) + Send + Sync + 'static) {
        self.observers.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(observer));
    }

    /// A product's outcome is durable; these of its requests are new in the log.
    pub(crate) fn settled(&self, settled: Settled<'_>, requests: Vec<LoggedRequest>) {
        let observers = self.observers.read().unwrap_or_else(PoisonError::into_inner);
        observers.iter().for_each(|observer| observer(settled));
        self.append(requests.into_iter().map(EngineEvent::Request));
    }

    fn append(&self, happenings: impl IntoIterator<Item = EngineEvent>) {
        // The number is given under the lock, so that entries stand in the order of their numbers.
        let mut kept = self.kept();
        let mut sequence = self.latest();
        for event in happenings {
            sequence += 1;
            if let EngineEvent::Transition(transition) = &event {
                kept.transitions.push_back(transition.clone());
                if kept.transitions.len() > TRANSITIONS_KEPT_MAX {
                    kept.transitions.pop_front();
                }
            }
            kept.entries.push_back(Arc::new(LoggedEvent { sequence, event, rendered: OnceLock::new() }));
            if kept.entries.len() > EVENTS_KEPT_MAX {
                kept.entries.pop_front();
            }
        }
        self.latest.send_replace(sequence);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a hook of the run's state machine, the log notes each change of state.
impl Hook<RunTable> for EventLog {
    fn transitioned(&self, change: &Change<'_, RunTable>) {
        if let Some(transition) = Transition::of(change) {
            self.append([EngineEvent::Transition(transition)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use price_cache_domain::{FailureClass, RetryFilter, Run, RunId};

    use super::*;

    fn note(log: &EventLog, event: &Event) {
        let (run, actor, at) = (Run::new(), Actor::named("test"), Timestamp::from_millis(7));
        log.transitioned(&Change { from: &run, to: &run, event, actor: &actor, at });
    }

    fn sequences(log: &EventLog, after: u64, limit: usize) -> Vec<u64> {
        log.after(after, limit).iter().map(|entry| entry.sequence).collect()
    }

    #[test]
    fn readers_get_what_is_newer_and_see_by_the_numbers_what_they_missed() {
        let log = EventLog::default();
        assert_eq!((log.latest(), sequences(&log, 0, 9)), (0, vec![]));
        for _ in 0..EVENTS_KEPT_MAX + 2 {
            note(&log, &Event::Reset);
        }
        let latest = EVENTS_KEPT_MAX as u64 + 2;
        assert_eq!(log.latest(), latest);
        assert_eq!(sequences(&log, 2, 2), [3, 4]);
        assert_eq!(sequences(&log, 0, 2), [3, 4], "1 and 2 are gone");
        assert_eq!(sequences(&log, latest - 1, 9), [latest]);
        assert!(sequences(&log, latest, 9).is_empty() && sequences(&log, latest + 5, 9).is_empty());
        assert_eq!(log.transitions().len(), TRANSITIONS_KEPT_MAX);
    }

    #[test]
    fn transitions_say_why_and_products_are_none() {
        let log = EventLog::default();
        note(&log, &Event::ProductDone);
        note(&log, &Event::Start { run: RunId::from_number(1) });
        let class = Some(FailureClass::Timeout);
        note(&log, &Event::RetryFailed { filter: RetryFilter { market: None, class } });
        let told: Vec<_> = log.transitions().into_iter().map(|told| (told.event, told.reason)).collect();
        assert_eq!(
            told,
            [(EventKind::RetryFailed, Some("class timeout".to_owned())), (EventKind::Start, None)]
        );
    }
}
