//! The wiring of the programs `price-cache` and `price-cache-server`: configuration, ports, signals and
//! the commands that run in-process. Whatever decides anything lives in the crates below.

pub mod commands;
pub mod configuration;
mod fallback_copy;
mod logging;
mod open_files;
mod program;
mod signals;
pub mod stores;
mod system_clock;
mod walk_runtime;
mod wiring;

pub use program::{client_main, server_main};
