//! The server against the contract, over real connections.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "api/client.rs"]
mod client;
#[path = "api/commands.rs"]
mod commands;
#[path = "api/old_clients.rs"]
mod old_clients;
#[path = "api/world.rs"]
mod world;
