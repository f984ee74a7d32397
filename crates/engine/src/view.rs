//! The room of what others see: the live state (`snapshot`), what happened (`journal`), what was requested
//! (`log_book`), what the store holds (`reader`), and whether that fits together (`audit`, `repair`).
//!
//! It may read the store; it changes nothing there and sends no request.

pub(crate) mod audit;
pub(crate) mod entries;
pub(crate) mod journal;
pub(crate) mod log_book;
pub(crate) mod reader;
pub(crate) mod repair;
pub(crate) mod snapshot;
