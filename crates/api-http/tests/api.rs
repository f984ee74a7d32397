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
#[path = "api/dashboard.rs"]
mod dashboard;
#[path = "api/document.rs"]
mod document;
#[path = "api/events.rs"]
mod events;
#[path = "api/failed_products.rs"]
mod failed_products;
#[path = "api/health.rs"]
mod health;
#[path = "api/keys.rs"]
mod keys;
#[path = "api/logs.rs"]
mod logs;
#[path = "api/metrics.rs"]
mod metrics;
#[path = "api/metrics_text.rs"]
mod metrics_text;
#[path = "api/never_waits.rs"]
mod never_waits;
#[path = "api/old_clients.rs"]
mod old_clients;
#[path = "api/openapi.rs"]
mod openapi;
#[path = "api/price.rs"]
mod price;
#[path = "api/price_lists.rs"]
mod price_lists;
#[path = "api/recovering.rs"]
mod recovering;
#[path = "api/request_ids.rs"]
mod request_ids;
#[path = "api/requests.rs"]
mod requests;
#[path = "api/stream.rs"]
mod stream;
#[path = "api/world.rs"]
mod world;
