//! The command line of a price cache: arguments, a small HTTP client, and what a person sees.
//!
//! The commands that talk to a server are executed here ([`commands::run`]). Those that need the engine or the
//! store ([`arguments::LocalCommand`]) are parsed here and executed by the binary, which finds in [`render`] the
//! tables and progress bars that it needs, and in [`Streams`] where to write them.

pub mod arguments;
pub mod client;
pub mod commands;
mod context;
pub mod documents;
mod exit;
pub mod render;
mod streams;
#[cfg(test)]
mod test_server;

pub use context::Context;
pub use exit::Exit;
pub use streams::Streams;
