//! The domain of a price cache: what a run is, how it changes, what became of each product, and
//! the ports through which the outside is reached. Pure: no runtime, no I/O, no clock.
//!
//! Start with [`Run`] and [`transition`], the one table that decides every change of state. A
//! product's [`Entry`] is the only thing that is ever counted; [`Progress`] and [`Analytics`] are
//! folds over entries, so that numbers and records cannot disagree.
#![doc = include_str!("../README.md")]
#![deny(clippy::wildcard_enum_match_arm)]

mod analytics;
mod diagram;
mod entry;
mod event;
mod failure;
mod id;
mod machine;
mod money;
mod pass;
mod plan;
mod ports;
mod progress;
mod record;
mod run;
mod time;
mod transition;

pub use analytics::Analytics;
pub use diagram::{TableRow, mermaid, table_rows};
pub use entry::{ATTEMPTS_KEPT_MAX, Attempt, Attempts, CachedPrice, Entry, Outcome, Visit};
pub use event::{Event, EventKind, PauseReason, RunFailure, RunFailureClass};
pub use failure::{Failure, FailureClass, MESSAGE_BYTES_MAX, UnknownFailureClass};
pub use id::{ID_BYTES_MAX, InvalidId, MarketId, ProductId, RunId};
pub use machine::{Actor, Change, Decision, Guard, Hook, Machine, Refused, StaleDecision, Table, Veto};
pub use money::{AMOUNT_DIGITS_MAX, Amount, Currency, InvalidAmount, InvalidCurrency, Price};
pub use pass::{Pass, RetryFilter};
pub use plan::{InvalidPlan, MarketPlan, PLAN_PAGE_PRODUCTS_MAX, Plan, PlanPageKey};
pub use ports::{
    BoxFuture, Clock, CopyOutcome, FallbackCopy, Fault, Fetched, PROBLEMS_MAX, PageCursor, PriceSource,
    Problem, ProductLists, ProductPage, Quote, RecordKey, SkippedItems, Store, StoreError, StoreMaintenance,
    Verification,
};
pub use progress::{LOW_SUCCESS_AFTER_PRODUCTS, LOW_SUCCESS_BELOW_PERCENT, Overcounted, Progress};
pub use record::{InvalidRunRecord, RunRecord};
pub use run::{Completed, Errored, Idle, Initializing, Paused, Processing, Run, RunFacts, RunStatus};
pub use time::Timestamp;
pub use transition::{IllegalTransition, RunTable, transition};
