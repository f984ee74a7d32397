//! What happens, in the order in which it happens: transitions and calls, for readers who follow along at
//! their own pace. Nobody's pace matters to the run: whoever is too slow misses entries and is told so.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use price_cache_domain::{
    Actor, Change, Event, EventKind, Hook, MarketId, Outcome, RunStatus, RunTable, Timestamp,
};
use tokio::sync::watch;

use crate::view::log_book::LoggedCall;

/// Entries kept for readers who fall behind or come back.
pub const JOURNAL_ENTRIES_MAX: usize = 4_096;

/// Transitions kept, the newest, however many calls came after them.
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
pub enum Happening {
    /// The run changed its state.
    Transition(Transition),
    /// A call whose record is durable.
    Call(LoggedCall),
}

/// One happening.
#[derive(Debug)]
pub struct JournalEntry {
    /// Counts up by one from 1 since the service was opened.
    pub sequence: u64,
    /// What happened.
    pub happening: Happening,
    rendered: OnceLock<Box<str>>,
}

impl JournalEntry {
    /// The entry as a text, made by the first reader and shared by all others.
    pub fn rendered(&self, render: impl FnOnce(&Happening) -> String) -> &str {
        self.rendered.get_or_init(|| render(&self.happening).into_boxed_str())
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
pub struct Journal {
    kept: Mutex<Kept>,
    latest: watch::Sender<u64>,
    state_changes: AtomicU64,
    observer: OnceLock<Observer>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Arc<JournalEntry>>,
    transitions: VecDeque<Transition>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            latest: watch::Sender::new(0),
            state_changes: AtomicU64::new(0),
            observer: OnceLock::new(),
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Journal").field("latest", &self.latest()).finish_non_exhaustive()
    }
}

impl Journal {
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
    pub fn after(&self, sequence: u64, limit: usize) -> Vec<Arc<JournalEntry>> {
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

    /// Has `observer` see each outcome from now on; it must not block. There can be one: false when
    /// there is another already.
    pub fn observe(&self, observer: impl Fn(Settled<'_>) + Send + Sync + 'static) -> bool {
        self.observer.set(Box::new(observer)).is_ok()
    }

    /// A product's outcome is durable; these of its calls are new in the log.
    pub(crate) fn settled(&self, settled: Settled<'_>, calls: Vec<LoggedCall>) {
        if let Some(observer) = self.observer.get() {
            observer(settled);
        }
        self.append(calls.into_iter().map(Happening::Call));
    }

    fn append(&self, happenings: impl IntoIterator<Item = Happening>) {
        // The number is given under the lock, so that entries stand in the order of their numbers.
        let mut kept = self.kept();
        let mut sequence = self.latest();
        for happening in happenings {
            sequence += 1;
            if let Happening::Transition(transition) = &happening {
                kept.transitions.push_back(transition.clone());
                if kept.transitions.len() > TRANSITIONS_KEPT_MAX {
                    kept.transitions.pop_front();
                }
            }
            kept.entries.push_back(Arc::new(JournalEntry { sequence, happening, rendered: OnceLock::new() }));
            if kept.entries.len() > JOURNAL_ENTRIES_MAX {
                kept.entries.pop_front();
            }
        }
        self.latest.send_replace(sequence);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a hook of the run's machine, the journal notes each change of state.
impl Hook<RunTable> for Journal {
    fn transitioned(&self, change: &Change<'_, RunTable>) {
        if let Some(transition) = Transition::of(change) {
            self.append([Happening::Transition(transition)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use price_cache_domain::{FailureClass, RetryFilter, Run, RunId};

    use super::*;

    fn note(journal: &Journal, event: &Event) {
        let (run, actor, at) = (Run::new(), Actor::named("test"), Timestamp::from_millis(7));
        journal.transitioned(&Change { from: &run, to: &run, event, actor: &actor, at });
    }

    fn sequences(journal: &Journal, after: u64, limit: usize) -> Vec<u64> {
        journal.after(after, limit).iter().map(|entry| entry.sequence).collect()
    }

    #[test]
    fn readers_get_what_is_newer_and_see_by_the_numbers_what_they_missed() {
        let journal = Journal::default();
        assert_eq!((journal.latest(), sequences(&journal, 0, 9)), (0, vec![]));
        for _ in 0..JOURNAL_ENTRIES_MAX + 2 {
            note(&journal, &Event::Reset);
        }
        let latest = JOURNAL_ENTRIES_MAX as u64 + 2;
        assert_eq!(journal.latest(), latest);
        assert_eq!(sequences(&journal, 2, 2), [3, 4]);
        assert_eq!(sequences(&journal, 0, 2), [3, 4], "1 and 2 are gone");
        assert_eq!(sequences(&journal, latest - 1, 9), [latest]);
        assert!(sequences(&journal, latest, 9).is_empty() && sequences(&journal, latest + 5, 9).is_empty());
        assert_eq!(journal.transitions().len(), TRANSITIONS_KEPT_MAX);
    }

    #[test]
    fn transitions_say_why_and_products_are_none() {
        let journal = Journal::default();
        note(&journal, &Event::ProductDone);
        note(&journal, &Event::Start { run: RunId::from_number(1) });
        let class = Some(FailureClass::Timeout);
        note(&journal, &Event::RetryFailed { filter: RetryFilter { market: None, class } });
        let told: Vec<_> = journal.transitions().into_iter().map(|told| (told.event, told.reason)).collect();
        assert_eq!(
            told,
            [(EventKind::RetryFailed, Some("class timeout".to_owned())), (EventKind::Start, None)]
        );
    }
}
