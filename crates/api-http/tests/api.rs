//! The server against the contract, over real connections.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "api/callers.rs"]
mod callers;
#[path = "api/client.rs"]
mod client;
#[path = "api/commands.rs"]
mod commands;
#[path = "api/connections.rs"]
mod connections;
#[path = "api/failed_products.rs"]
mod failed_products;
#[path = "api/health.rs"]
mod health;
#[path = "api/logs.rs"]
mod logs;
#[path = "api/never_waits.rs"]
mod never_waits;
#[path = "api/old_clients.rs"]
mod old_clients;
#[path = "api/price.rs"]
mod price;
#[path = "api/price_lists.rs"]
mod price_lists;
#[path = "api/requests.rs"]
mod requests;
#[path = "api/world.rs"]
mod world;
