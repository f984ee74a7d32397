//! What a doctor needs of a store, beside reading and writing it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::{BoxFuture, RunId, Store, StoreError, Timestamp};

/// Problems that a [`Verification`] lists; further ones are only counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// Names a record of a store by its key, which may be one that this program would never write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordKey {
    /// The run.
    Run,
    /// An entry, by the bytes of its key.
    Entry(Vec<u8>),
    /// A plan page, by the bytes of its key.
    PlanPage(Vec<u8>),
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which record.
    pub key: RecordKey,
    /// The market and product of an entry, where its key is one of a pair.
    pub pair: Option<(String, String)>,
    /// The record for people.
    pub record: String,
    /// What is wrong with it.
    pub reason: String,
    /// A newer version of this program wrote it and can read it.
    pub is_newer: bool,
}

/// What a look at every record found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Entries, readable or not.
    pub entries: u64,
    /// Plan pages, readable or not.
    pub plan_pages: u64,
    /// Records that cannot be read, the first [`PROBLEMS_MAX`] of them.
    pub problems: Vec<Problem>,
    /// How many records cannot be read.
    pub problems_total: u64,
    /// The latest run that an entry tells of.
    pub latest_run: Option<RunId>,
    /// A sentence that says what is missing or too old, where the records do not add up to what was last written.
    pub loss: Option<String>,
}

/// Describes the copy that a store keeps of itself to fall back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FallbackCopy {
    /// When it was made.
    pub made_at: Timestamp,
    /// How many entries are in it.
    pub entries: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What became of the wish for a new copy to fall back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyOutcome {
    /// There is a new one.
    Made(FallbackCopy),
    /// The present one is not old enough to be replaced.
    NotDue,
    /// The settings say that none is to be made.
    Off,
    /// It would have taken more space than the settings allow; the one before stays.
    TooLarge,
    /// Something was written meanwhile, or there was not enough time; the one before stays.
    Abandoned,
}

/// What a store does for those who look after it. Every store of this program has it.
pub trait StoreMaintenance: Store {
    /// Returns the kind of the store, as the configuration names it.
    fn kind(&self) -> &'static str;

    /// Returns where the store is, for people.
    fn location(&self) -> String;

    /// Returns the bytes that the store takes on its disk, without what it keeps for emergencies.
    fn disk_bytes(&self) -> u64;

    /// Reads every record and reports those that cannot be read, instead of failing at the first.
    ///
    /// # Errors
    /// The store cannot be read to its end.
    fn verify(&self) -> BoxFuture<'_, Result<Verification, StoreError>>;

    /// Returns the key of the entry of a pair.
    fn entry_key(&self, market: &crate::MarketId, product: &crate::ProductId) -> RecordKey;

    /// Takes records out of the store, after a copy of each is durable in a file beside it, which is returned. The file of
    /// an earlier call is continued.
    ///
    /// # Errors
    /// The file or the store cannot be written. Nothing is taken out that is not in the file.
    fn set_aside(
        &self,
        records: Vec<RecordKey>,
        continued: Option<PathBuf>,
    ) -> BoxFuture<'_, Result<PathBuf, StoreError>>;

    /// Takes the records as they are for all there are: what is missing is not missed any more.
    ///
    /// # Errors
    /// The store cannot be read or written.
    fn accept_loss(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Makes a copy of all records to fall back on, where it is due at `now` and done within `at_most`. The one before is
    /// replaced once the new one is durable.
    ///
    /// # Errors
    /// The copy cannot be written, or the store has records that cannot be read; the one before stays.
    fn make_fallback_copy(
        &self,
        now: Timestamp,
        at_most: Option<Duration>,
    ) -> BoxFuture<'_, Result<CopyOutcome, StoreError>>;

    /// Returns the copy to fall back on; `None` where there is none that can be used.
    fn fallback_copy(&self) -> Option<FallbackCopy>;

    /// Returns what the store was rebuilt from when it was opened, in a sentence; `None` where there was no need.
    fn rebuilt(&self) -> Option<String>;
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} cannot be read: {}", self.record, self.reason)
    }
}
