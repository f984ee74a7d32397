//! The server against the contract, over real connections.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod callers;
mod client;
mod commands;
mod connections;
mod dashboard;
mod document;
mod events;
mod failed_products;
mod health;
mod keys;
mod logs;
mod metrics;
mod metrics_text;
mod never_waits;
mod old_clients;
mod openapi;
mod price;
mod price_lists;
mod recovering;
mod request_ids;
mod requests;
mod stream;
mod world;
