//! The HTTP server of a price cache: run control, status, logs, failed products, prices and health.
//!
//! [`Server::bind`] takes the address, [`Server::serve`] answers until it is told to stop. Requests pass
//! `guard` (who may call, is the request well-formed), then a handler in `routes`, one endpoint a file;
//! `documents` turns what the engine knows into the JSON of the contract.

mod connection;
mod documents;
mod guard;
mod options;
mod problem;
mod request;
mod router;
mod routes;
mod server;

pub use documents::status_document;
pub use options::{ServerLimits, ServerOptions};
pub use server::{BindError, Server};
