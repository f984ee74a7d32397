//! Reads every record and says which ones cannot be read.

use std::collections::BTreeSet;
use std::fmt;

use price_cache_domain::{Entry, MarketId, ProductId, RunId, StoreError};

use crate::codec::{DecodeError, decode_entry, decode_plan_page, decode_run};
use crate::database::Database;
use crate::error::from_sled;
use crate::{chunks, keys};

/// Problems that are listed; further ones are only counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// Which record of the store; its key may be none that this program would write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordKey {
    /// The run.
    Run,
    /// An entry, by its key.
    Entry(Vec<u8>),
    /// A plan page, by the key that its chunks have in common.
    PlanPage(Vec<u8>),
}

impl RecordKey {
    /// The entry of a pair.
    pub fn entry(market: &MarketId, product: &ProductId) -> Self {
        Self::Entry(keys::entry(market, product))
    }

    /// The market and product of an entry, where its key is one of a pair.
    pub fn pair(&self) -> Option<(&str, &str)> {
        match self {
            Self::Entry(key) => keys::parse_entry(key),
            Self::Run | Self::PlanPage(_) => None,
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run => formatter.write_str("the run"),
            Self::Entry(key) => formatter.write_str(&keys::describe_entry(key)),
            Self::PlanPage(key) => formatter.write_str(&keys::describe_plan_page(key)),
        }
    }
}

/// One record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which record.
    pub key: RecordKey,
    /// The same for people.
    pub record: String,
    /// What is wrong with it.
    pub reason: String,
    /// A newer version of this program wrote it, which can read it.
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
}

impl Verification {
    fn check<T>(&mut self, result: Result<T, DecodeError>, key: impl Fn() -> RecordKey) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_MAX {
            let (reason, is_newer) = match error {
                DecodeError::Newer(found) => (format!("it has the newer format {found}"), true),
                DecodeError::Damaged(reason) => (reason, false),
            };
            let key = key();
            self.problems.push(Problem { record: key.to_string(), key, reason, is_newer });
        }
        None
    }
}

pub(crate) fn verify(database: &Database) -> Result<Verification, StoreError> {
    let mut found = Verification::default();
    let run = chunks::get(&database.meta, keys::RUN)?;
    if let Some(run) = run {
        found.check(decode_run(&run), || RecordKey::Run);
    }
    for item in &database.entries {
        let (key, value) = item.map_err(|error| from_sled(&error))?;
        found.entries += 1;
        let entry = decode_pair(&key).and_then(|()| decode_entry(&key, &value));
        if let Some(Entry { outcome, .. }) = found.check(entry, || RecordKey::Entry(key.to_vec())) {
            found.latest_run = found.latest_run.max(Some(outcome.run));
        }
    }
    let mut pages = BTreeSet::new();
    for key in database.plans.iter().keys() {
        let key = key.map_err(|error| from_sled(&error))?;
        pages.insert(key.get(..keys::PLAN_PAGE_BYTES).unwrap_or(&key).to_vec());
    }
    for page in pages {
        found.plan_pages += 1;
        let _whole = database.chunked.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(value) = chunks::get(&database.plans, &page)? {
            found.check(decode_plan_page(&page, &value), || RecordKey::PlanPage(page.clone()));
        }
    }
    Ok(found)
}

/// Whether a key is that of a pair.
fn decode_pair(key: &[u8]) -> Result<(), DecodeError> {
    let pair = keys::parse_entry(key);
    let is_pair = pair
        .is_some_and(|(market, product)| MarketId::new(market).is_ok() && ProductId::new(product).is_ok());
    if is_pair { Ok(()) } else { Err(DecodeError::foreign_key()) }
}
