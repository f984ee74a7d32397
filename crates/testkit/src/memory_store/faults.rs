//! The failures and crashes that a test asked of a store.

use std::collections::{BTreeMap, VecDeque};

use price_cache_domain::StoreError;

use super::data::Write;
use crate::gate::Gate;

/// The operations of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is a method of Store")]
pub enum Operation {
    LoadRun,
    SaveRun,
    SavePlanPage,
    PlanPage,
    DropPlans,
    Record,
    EntriesOf,
    Entries,
    Markets,
    Clear,
}

/// Where a store crashes: the operation with this number never resolves, nor does any later one, and
/// later ones change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// The number of the operation, counted from 1 over the life of the store.
    pub operation: u64,
    /// Whether that operation took effect before the crash. It is whole either way.
    pub applied: bool,
}

/// What becomes of an operation.
pub(super) enum Verdict {
    Do,
    Fail(StoreError),
    DoAndHang,
    Hang,
}

struct Failing {
    operation: Option<Operation>,
    left: u64,
    error: StoreError,
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) operations: u64,
    by_operation: BTreeMap<Operation, u64>,
    pub(super) crash: Option<CrashPoint>,
    /// Opened by the crash.
    pub(super) crashed: Gate<()>,
    pub(super) holding: bool,
    pub(super) held: VecDeque<(Write, Gate<Result<(), StoreError>>)>,
    failing: Vec<Failing>,
}

impl Faults {
    pub(super) fn of(&self, operation: Operation) -> u64 {
        self.by_operation.get(&operation).copied().unwrap_or(0)
    }

    pub(super) fn fail_next(&mut self, operation: Option<Operation>, left: u64, error: StoreError) {
        self.failing.push(Failing { operation, left, error });
    }

    pub(super) fn recover(&mut self) {
        self.failing.clear();
    }

    pub(super) fn has_crashed(&self) -> bool {
        self.crash.is_some_and(|crash| self.operations >= crash.operation)
    }

    /// Counts an operation and decides on it. A crash comes before a failure.
    pub(super) fn next(&mut self, operation: Operation) -> Verdict {
        self.operations += 1;
        *self.by_operation.entry(operation).or_default() += 1;
        if let Some(crash) = self.crash.filter(|crash| self.operations >= crash.operation) {
            self.crashed.open(());
            let applied = crash.applied && self.operations == crash.operation;
            return if applied { Verdict::DoAndHang } else { Verdict::Hang };
        }
        let matches = |failing: &&mut Failing| {
            failing.left > 0 && failing.operation.is_none_or(|wanted| wanted == operation)
        };
        match self.failing.iter_mut().find(matches) {
            Some(failing) => {
                // A failure without end stays without end.
                if failing.left < u64::MAX {
                    failing.left -= 1;
                }
                Verdict::Fail(failing.error.clone())
            }
            None => Verdict::Do,
        }
    }
}
