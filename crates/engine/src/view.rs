//! The room of what others see: the live state (`snapshot`), what happened (`event_log`), what was requested
//! (`request_log`), what the store holds (`reader`), and whether that fits together (`audit`, `repair`).
//!
//! It may read the store; it changes nothing there and sends no request.

pub(crate) mod audit;
pub(crate) mod entries;
pub(crate) mod event_log;
pub(crate) mod reader;
pub(crate) mod repair;
pub(crate) mod request_log;
pub(crate) mod snapshot;
