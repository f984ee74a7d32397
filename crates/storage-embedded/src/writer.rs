//! The storage thread: takes what is queued, writes it as a group, makes it durable once, acknowledges all.

mod health;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use price_cache_domain::{RecordKey, Run, RunId, StoreError};
use price_cache_records::keys;
use tokio::sync::oneshot;

use crate::layout;
use crate::open::Opened;
use crate::panics::guarded;
use crate::set_aside::place_of;
use crate::shared::{Handle, Shared, Slot};
use crate::totals::{self, Totals};
use crate::watermark::Watermark;
use crate::{Backend, Table, WriteGroup, fallback_copy};
pub(crate) use health::Health;

/// Tells a caller what became of a write.
pub(crate) type Acknowledge = oneshot::Sender<Result<(), StoreError>>;

/// What a caller wants written.
pub(crate) enum Write {
    Change(Change),
    Task(Task),
}

/// One change, encoded by the caller; may be written in a group with others.
pub(crate) enum Change {
    Entry { key: Vec<u8>, value: Vec<u8> },
    Run { value: Vec<u8> },
    PlanPage { key: Vec<u8>, value: Vec<u8> },
    Remove { records: Vec<RecordKey> },
}

/// What is no group of changes, and done alone.
pub(crate) enum Task {
    DropPlans { keep: Option<RunId> },
    AcceptLoss,
    Clear { idle: Run, value: Vec<u8>, keep_prices: bool },
}

pub(crate) enum Message {
    Write(Write, Acknowledge),
    /// Somebody waits for what is queued.
    Flush,
    /// A reader found no handle.
    Mend,
}

pub(crate) struct Writer<B> {
    shared: Arc<Shared<B>>,
    health: Health,
    state: State,
    group: Vec<(Change, Acknowledge)>,
}

/// What the storage thread knows of the handle of the moment.
pub(crate) struct State {
    /// As of the last durable group.
    totals: Totals,
    watermark: Option<Watermark>,
}

impl State {
    /// Takes an opened store apart: what its readers need, and what the storage thread needs.
    pub(crate) fn of<B>(opened: Opened<B>) -> (Handle<B>, Self) {
        (opened.handle, Self { totals: opened.totals, watermark: opened.watermark })
    }
}

impl<B: Backend> Writer<B> {
    pub(crate) fn new(shared: Arc<Shared<B>>, health: Health, state: State) -> Self {
        Self { shared, health, state, group: Vec::new() }
    }

    /// Serves until nobody can send any more, then closes the handle.
    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let may_wait = self.take(first);
            if may_wait {
                self.gather(messages);
            }
            self.commit();
        }
        let closed = health::close(self.shared.replace(Slot::Closed));
        if let (true, Some(watermark)) = (closed && self.health.is_good(), &self.state.watermark)
            && let Err(error) = watermark.close(self.state.totals.sequence)
        {
            tracing::warn!(%error, "the store was closed, but that could not be written down");
        }
    }

    /// Takes what is queued into the group, and what comes while there is time to wait for it.
    fn gather(&mut self, messages: &Receiver<Message>) {
        let group_max = self.shared.options.group_records_max.max(1);
        let mut deadline = Instant::now() + self.shared.options.sync_interval;
        while self.group.len() < group_max {
            // What is queued comes at once, also after the deadline.
            let Ok(next) = messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                return;
            };
            if !self.take(next) {
                deadline = Instant::now();
            }
        }
    }

    /// Takes a message; says whether it may wait for others.
    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Flush => false,
            Message::Mend => {
                // The error is told to the next caller that writes.
                let _ = self.ready();
                true
            }
            Message::Write(Write::Change(change), acknowledge) => {
                let is_entry = matches!(change, Change::Entry { .. });
                self.group.push((change, acknowledge));
                is_entry
            }
            Message::Write(Write::Task(task), acknowledge) => {
                self.commit();
                let done = self.alone(task);
                if let Err(error) = &done {
                    self.fail(error);
                }
                // A caller that was cancelled does not listen any more.
                let _ = acknowledge.send(done);
                false
            }
        }
    }

    /// Makes the group durable and acknowledges it.
    fn commit(&mut self) {
        if self.group.is_empty() {
            return;
        }
        let (changes, acknowledges): (Vec<_>, Vec<_>) = self.group.drain(..).unzip();
        let result = self.ready().and_then(|handle| {
            self.write(&handle, |group, totals| {
                changes.iter().try_for_each(|change| apply(group, change, totals))
            })
        });
        if let Err(error) = &result {
            // First the handle: a caller that hears of the error can read again.
            self.fail(error);
        }
        for acknowledge in acknowledges {
            let _ = acknowledge.send(result.clone());
        }
    }

    /// Writes a group together with the totals after it.
    fn write(
        &mut self,
        handle: &Handle<B>,
        changes: impl Fn(&mut dyn WriteGroup, &mut Totals) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut totals = self.state.totals;
        guarded(|| {
            handle.database.write(&mut |group| {
                totals = Totals { sequence: self.state.totals.sequence + 1, ..self.state.totals };
                changes(group, &mut totals)?;
                group.put(Table::Meta, totals::KEY, &totals.encode()).map(drop)
            })
        })?;
        self.state.totals = totals;
        self.shared.committed(totals.sequence);
        if let Some(watermark) = &self.state.watermark {
            watermark.advance(totals.sequence);
        }
        Ok(())
    }

    fn alone(&mut self, task: Task) -> Result<(), StoreError> {
        match task {
            Task::Clear { idle, keep_prices: false, .. } => self.clear_all(&idle),
            Task::Clear { value, .. } => self.clear_plans(&value),
            Task::DropPlans { keep } => {
                let handle = self.ready()?;
                guarded(|| layout::delete_plans(&handle.database, keep.map(keys::plan_run)))
            }
            Task::AcceptLoss => {
                let handle = self.ready()?;
                let found = handle.read(crate::examine::examine)?.found;
                self.state.totals = Totals { sequence: self.state.totals.sequence, ..found };
                self.write(&handle, |_, _| Ok(()))
            }
        }
    }

    /// Replaces the handle, as after an error the present one is of no use.
    fn fail(&mut self, error: &StoreError) {
        if let Some(state) = self.health.failed(&self.shared, error, Instant::now()) {
            self.state = state;
        }
    }

    /// Returns the handle, mended first where it has to be and the time for it has come.
    fn ready(&mut self) -> Result<Arc<Handle<B>>, StoreError> {
        let (handle, state) = self.health.ready(&self.shared, Instant::now())?;
        if let Some(state) = state {
            self.state = state;
        }
        Ok(handle)
    }

    fn clear_plans(&mut self, idle: &[u8]) -> Result<(), StoreError> {
        let handle = self.ready()?;
        self.write(&handle, |group, _| {
            group.put(Table::Meta, keys::RUN, idle)?;
            group.put(Table::Meta, keys::CLEARING, &[]).map(drop)
        })?;
        guarded(|| layout::finish_clearing(&handle.database))
    }

    /// Makes the next generation and lets the present one go. Works on a full disk, and frees it.
    fn clear_all(&mut self, idle: &Run) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        self.health.prepare_clear(&shared);
        let io_failed = |error: std::io::Error| crate::error::from_io(&error);
        let present = shared.folder.newest().map_err(io_failed)?;
        let present =
            present.ok_or_else(|| StoreError::Damaged("the folder has no generation".to_owned()))?;
        // Prices that were deleted must not come back.
        fallback_copy::delete(shared.folder.path()).map_err(io_failed)?;
        // Up to the rename inside, the present generation counts; from it on, the next one.
        layout::make::<B>(
            &shared.folder,
            &shared.options,
            present + 1,
            idle,
            self.state.totals.sequence + 1,
        )?;
        let being_cleared = StoreError::Io("the store is being cleared".to_owned());
        health::close(shared.replace(Slot::Broken(being_cleared)));
        self.state = health::reopen(&shared)?;
        self.health.cleared(Instant::now());
        Ok(())
    }
}

fn apply(group: &mut dyn WriteGroup, change: &Change, totals: &mut Totals) -> Result<(), StoreError> {
    match change {
        Change::Entry { key, value } => {
            if let Some(replaced) = group.put(Table::Entries, key, value)? {
                totals.subtract(key, &replaced);
            }
            totals.add(key, value);
            Ok(())
        }
        Change::Run { value } => group.put(Table::Meta, keys::RUN, value).map(drop),
        Change::PlanPage { key, value } => group.put(Table::Plans, key, value).map(drop),
        Change::Remove { records } => {
            for record in records {
                let (table, key) = place_of(record);
                if let (Some(removed), Table::Entries) = (group.remove(table, key)?, table) {
                    totals.subtract(key, &removed);
                }
            }
            Ok(())
        }
    }
}
