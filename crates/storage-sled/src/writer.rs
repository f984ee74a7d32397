//! The storage thread: takes what is queued, writes it, syncs once, acknowledges all.

mod health;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use price_cache_domain::{Run, RunId, StoreError};
use sled::{Batch, Tree};
use tokio::sync::oneshot;

use crate::database::Database;
use crate::error::from_sled;
use crate::panics::guarded;
use crate::shared::{Shared, Slot};
use crate::verify::RecordKey;
use crate::{chunks, keys, set_aside};
pub(crate) use health::Health;

/// Tells a caller what became of a write.
pub(crate) type Acknowledge = oneshot::Sender<Result<(), StoreError>>;

/// One change, encoded by the caller.
pub(crate) enum Write {
    Entry { key: Vec<u8>, value: Vec<u8> },
    Run { value: Vec<u8> },
    PlanPage { key: Vec<u8>, value: Vec<u8> },
    DropPlans { keep: Option<RunId> },
    Remove { records: Vec<RecordKey> },
    Clear { idle: Run, value: Vec<u8>, keep_prices: bool },
}

pub(crate) enum Message {
    Write(Write, Acknowledge),
    /// A reader found no handle.
    Mend,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    health: Health,
    /// Written by the handle of the moment, not yet synced.
    unsynced: Vec<Acknowledge>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, health: Health) -> Self {
        Self { shared, health, unsynced: Vec::new() }
    }

    /// Serves until nobody can send any more, then closes the handle.
    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        let group_max = self.shared.options.group_records_max.max(1);
        while let Ok(first) = messages.recv() {
            self.handle(first);
            for _ in 1..group_max {
                match messages.try_recv() {
                    Ok(next) => self.handle(next),
                    Err(_) => break,
                }
            }
            self.settle();
        }
        health::close(self.shared.replace(Slot::Closed));
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Mend => {
                // The error is told to whoever writes next.
                let _ = self.ready();
            }
            Message::Write(Write::Clear { idle, value, keep_prices }, acknowledge) => {
                self.settle();
                let cleared = if keep_prices { self.clear_plans(&value) } else { self.clear_all(&idle) };
                if let Err(error) = &cleared {
                    self.fail(error);
                }
                let _ = acknowledge.send(cleared);
            }
            Message::Write(write, acknowledge) => {
                match self.ready().and_then(|database| guarded(|| apply(&database, write))) {
                    Ok(()) => self.unsynced.push(acknowledge),
                    Err(error) => {
                        self.fail(&error);
                        let _ = acknowledge.send(Err(error));
                    }
                }
            }
        }
    }

    /// Syncs what is unsynced and acknowledges it.
    fn settle(&mut self) {
        if self.unsynced.is_empty() {
            return;
        }
        let synced = self.shared.database().and_then(|database| guarded(|| database.sync()));
        match synced {
            Ok(()) => self.acknowledge(&Ok(())),
            Err(error) => self.fail(&error),
        }
    }

    fn acknowledge(&mut self, result: &Result<(), StoreError>) {
        for acknowledge in self.unsynced.drain(..) {
            // A caller that was cancelled does not listen any more.
            let _ = acknowledge.send(result.clone());
        }
    }

    /// Replaces the handle, as after an error sled's is of no use, then tells everyone unsynced: who
    /// hears of the error can read again.
    fn fail(&mut self, error: &StoreError) {
        self.health.failed(&self.shared, error, Instant::now());
        self.acknowledge(&Err(error.clone()));
    }

    /// The handle, mended first where it has to be and the time for it has come.
    fn ready(&mut self) -> Result<Arc<Database>, StoreError> {
        self.health.ready(&self.shared, Instant::now())
    }

    fn clear_plans(&mut self, idle: &[u8]) -> Result<(), StoreError> {
        let database = self.ready()?;
        guarded(|| {
            let mut batch = Batch::default();
            chunks::put(&database.meta, &mut batch, keys::RUN, idle)?;
            batch.insert(keys::CLEARING, &[]);
            apply_chunked(&database, &database.meta, batch)?;
            database.sync()?;
            database.finish_clearing()
        })
    }

    /// Makes the next generation and lets the present one go. Works on a full disk, and frees it.
    fn clear_all(&mut self, idle: &Run) -> Result<(), StoreError> {
        self.health.prepare_clear(&self.shared);
        let shared = Arc::clone(&self.shared);
        let present = shared
            .folder
            .newest()
            .map_err(|error| crate::error::from_io(&error))?
            .ok_or_else(|| StoreError::Damaged("the folder has no generation".to_owned()))?;
        // Up to the rename inside, the present generation counts; from it on, the next one.
        Database::make(&shared.folder, &shared.options, present + 1, idle)?;
        let being_cleared = StoreError::Io("the store is being cleared".to_owned());
        health::close(shared.replace(Slot::Broken(being_cleared)));
        let database =
            Database::open(&shared.folder, &shared.options).map_err(crate::OpenError::into_store)?;
        shared.replace(Slot::Open(Arc::new(database)));
        self.health.cleared(Instant::now());
        Ok(())
    }
}

fn apply(database: &Database, write: Write) -> Result<(), StoreError> {
    match write {
        Write::Entry { key, value } => {
            database.entries.insert(key, value).map_err(|error| from_sled(&error))?;
            Ok(())
        }
        Write::Run { value } => {
            let mut batch = Batch::default();
            chunks::put(&database.meta, &mut batch, keys::RUN, &value)?;
            apply_chunked(database, &database.meta, batch)
        }
        Write::PlanPage { key, value } => {
            let mut batch = Batch::default();
            chunks::put(&database.plans, &mut batch, &key, &value)?;
            apply_chunked(database, &database.plans, batch)
        }
        Write::Remove { records } => set_aside::remove(database, &records),
        Write::DropPlans { keep } => database.delete_plans(keep.map(keys::plan_run)),
        Write::Clear { .. } => Ok(()),
    }
}

fn apply_chunked(database: &Database, tree: &Tree, batch: Batch) -> Result<(), StoreError> {
    let _whole = database.chunked.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    tree.apply_batch(batch).map_err(|error| from_sled(&error))
}
