//! The room of the one task that owns the run: its event loop (`shell`), its decisions (`core`), what it finds
//! when it opens (`recovery`), how it is opened (`service`) and how everyone else talks to it (`handle`).
//!
//! It may touch the run document of the store, and starts the sessions of `walk`. Nobody else changes a run.

pub(crate) mod accepted;
pub(crate) mod core;
pub(crate) mod handle;
pub(crate) mod recovery;
pub(crate) mod service;
pub(crate) mod shell;
