//! The backend on a storage in memory that fails, is killed and loses power at any of its operations, on damaged images, and
//! on files.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod crashes;
mod damage;
mod disk;
mod errors;
mod files;
mod operations;
mod workload;
