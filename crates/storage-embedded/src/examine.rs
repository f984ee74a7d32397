//! Reads every record, says which ones cannot be read, and holds the entries against the totals of the last group.

use std::ops::ControlFlow;

use price_cache_domain::{
    Entry, MarketId, PROBLEMS_MAX, Problem, ProductId, RecordKey, StoreError, Verification,
};
use price_cache_records::{DecodeError, decode_entry, decode_plan_page, decode_run, keys};

use crate::totals::{self, Totals};
use crate::watermark::Mark;
use crate::{Backend, Table};

/// What an examination found.
pub(crate) struct Examined {
    /// The records; without a [`loss`](Verification::loss), which depends on how the database was closed.
    pub(crate) records: Verification,
    /// The totals over the entries that were found; of the same sequence as the stored ones.
    pub(crate) found: Totals,
    /// The totals that were stored with the last group; `None` in a store of an earlier version.
    pub(crate) stored: Option<Totals>,
}

/// Reads all records of a database.
///
/// # Errors
/// The database cannot be read to its end.
pub(crate) fn examine<B: Backend>(database: &B) -> Result<Examined, StoreError> {
    let stored = stored_totals(database)?;
    let mut found = Totals { sequence: stored.map_or(0, |stored| stored.sequence), ..Totals::default() };
    let mut records = Verification::default();
    if let Some(run) = database.get(Table::Meta, keys::RUN)? {
        check(&mut records, decode_run(&run), || RecordKey::Run);
    }
    database.scan(Table::Entries, &[], None, &mut |key, value| {
        records.entries += 1;
        found.add(key, value);
        let entry = check_pair(key).and_then(|()| decode_entry(key, value));
        if let Some(Entry { outcome, .. }) = check(&mut records, entry, || RecordKey::Entry(key.to_vec())) {
            records.latest_run = records.latest_run.max(Some(outcome.run));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    database.scan(Table::Plans, &[], None, &mut |key, value| {
        records.plan_pages += 1;
        check(&mut records, decode_plan_page(key, value), || RecordKey::PlanPage(key.to_vec()));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Examined { records, found, stored })
}

/// Returns the totals that were stored with the last group.
pub(crate) fn stored_totals<B: Backend>(database: &B) -> Result<Option<Totals>, StoreError> {
    database.get(Table::Meta, totals::KEY)?.map(|value| Totals::decode(&value)).transpose()
}

/// What is missing or too old, where the entries do not add up to what was last written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// What it is, for people.
    pub(crate) sentence: String,
    /// Only the newest groups are missing, so that nothing written before can bring them back.
    pub(crate) is_tail: bool,
}

impl Loss {
    fn of(sentence: String) -> Self {
        Self { sentence, is_tail: false }
    }
}

impl Examined {
    /// Says what is missing or too old, where the entries do not add up to what was last written. `mark` is what was known
    /// outside the database; `is_settled` whether no kill can have left a part of a group.
    pub(crate) fn loss<B: Backend>(&self, mark: Option<Mark>, is_settled: bool) -> Option<Loss> {
        let stored = self.stored?;
        if self.found.entries < stored.entries {
            let missing = stored.entries - self.found.entries;
            return Some(Loss::of(format!("{missing} of {} entries are missing", stored.entries)));
        }
        // Where groups are not atomic, a kill may leave a part of one, which the totals do not know.
        if (B::GROUPS_ARE_ATOMIC || is_settled) && !self.found.has_same_entries(&stored) {
            return Some(Loss::of("some entries are older than the ones that were last written".to_owned()));
        }
        let missing = mark?.sequence.checked_sub(stored.sequence).filter(|missing| *missing > 0)?;
        Some(Loss { sentence: format!("the last {missing} groups of writes are missing"), is_tail: true })
    }

    /// Returns the totals to go on with: those of the entries, unless something is missing, which is not to be forgotten.
    pub(crate) fn totals(&self, is_lost: bool) -> Totals {
        match self.stored {
            Some(stored) if is_lost => stored,
            _ => self.found,
        }
    }
}

fn check<T>(
    records: &mut Verification,
    result: Result<T, DecodeError>,
    key: impl FnOnce() -> RecordKey,
) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    records.problems_total += 1;
    if records.problems.len() < PROBLEMS_MAX {
        let (reason, is_newer) = match error {
            DecodeError::Newer(found) => (format!("it has the newer format {found}"), true),
            DecodeError::Damaged(reason) => (reason, false),
        };
        let key = key();
        let pair = pair_of(&key);
        records.problems.push(Problem { record: describe(&key), key, pair, reason, is_newer });
    }
    None
}

fn pair_of(key: &RecordKey) -> Option<(String, String)> {
    let RecordKey::Entry(key) = key else { return None };
    keys::parse_entry(key).map(|(market, product)| (market.to_owned(), product.to_owned()))
}

fn describe(key: &RecordKey) -> String {
    match key {
        RecordKey::Run => "the run".to_owned(),
        RecordKey::Entry(key) => keys::describe_entry(key),
        RecordKey::PlanPage(key) => keys::describe_plan_page(key),
    }
}

/// Checks that a key is that of a pair.
fn check_pair(key: &[u8]) -> Result<(), DecodeError> {
    let pair = keys::parse_entry(key);
    let is_pair = pair
        .is_some_and(|(market, product)| MarketId::new(market).is_ok() && ProductId::new(product).is_ok());
    if is_pair { Ok(()) } else { Err(DecodeError::foreign_key()) }
}
