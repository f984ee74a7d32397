//! Reads every record and says which ones cannot be read.

use std::collections::BTreeSet;

use price_cache_domain::{MarketId, ProductId, StoreError};

use crate::codec::{DecodeError, decode_entry, decode_plan_page, decode_run};
use crate::database::Database;
use crate::error::from_sled;
use crate::{chunks, keys};

/// Problems that are listed; further ones are only counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// One record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which record.
    pub record: String,
    /// What is wrong with it.
    pub reason: String,
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
}

impl Verification {
    fn check<T>(&mut self, result: Result<T, DecodeError>, record: impl Fn() -> String) {
        let Err(error) = result else { return };
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_MAX {
            let reason = match error {
                DecodeError::Newer(found) => format!("it has the newer format {found}"),
                DecodeError::Damaged(reason) => reason,
            };
            self.problems.push(Problem { record: record(), reason });
        }
    }
}

pub(crate) fn verify(database: &Database) -> Result<Verification, StoreError> {
    let mut found = Verification::default();
    let run = chunks::get(&database.meta, keys::RUN)?;
    if let Some(run) = run {
        found.check(decode_run(&run), || "the run".to_owned());
    }
    for item in &database.entries {
        let (key, value) = item.map_err(|error| from_sled(&error))?;
        found.entries += 1;
        let ids = keys::parse_entry(&key)
            .filter(|(market, product)| MarketId::new(market).is_ok() && ProductId::new(product).is_ok())
            .ok_or_else(|| DecodeError::damaged("its key is not a market and a product"));
        found.check(ids.and_then(|_| decode_entry(&key, &value)), || keys::describe_entry(&key));
    }
    let mut pages = BTreeSet::new();
    for key in database.plans.iter().keys() {
        let key = key.map_err(|error| from_sled(&error))?;
        pages.insert(key.get(..16).unwrap_or(&key).to_vec());
    }
    for page in pages {
        found.plan_pages += 1;
        let _whole = database.chunked.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(value) = chunks::get(&database.plans, &page)? {
            found.check(decode_plan_page(&page, &value), || keys::describe_plan_page(&page));
        }
    }
    Ok(found)
}
