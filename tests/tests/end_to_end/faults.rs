//! The table of faults: whatever an upstream, a list, a person or a client does, it becomes what `docs/FAULTS.md` says.

#[path = "faults/answers.rs"]
mod answers;
#[path = "faults/connections.rs"]
mod connections;
#[path = "faults/descriptors.rs"]
mod descriptors;
#[path = "faults/document.rs"]
mod document;
#[path = "faults/each.rs"]
mod each;
#[path = "faults/lists.rs"]
mod lists;
#[path = "faults/million.rs"]
mod million;
#[path = "faults/row.rs"]
mod row;
#[path = "faults/storm.rs"]
mod storm;
#[path = "faults/unreachable.rs"]
mod unreachable;
#[path = "faults/upstream.rs"]
mod upstream;
