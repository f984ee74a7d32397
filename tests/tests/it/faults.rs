//! The table of faults: whatever an upstream, a list, a person or a client does, it becomes what `docs/FAULTS.md` says.

mod answers;
mod connections;
mod descriptors;
mod document;
mod each;
mod lists;
mod million;
mod row;
mod storm;
mod unreachable;
mod upstream;
