//! The HTTP server of a price cache: run control, status, live events, logs, failed products, prices,
//! metrics, health and the dashboard.
//!
//! [`Server::bind`] takes the address, [`Server::serve`] answers until it is told to stop; what there is to
//! answer comes with [`Readiness::with`], once the run is recovered. Requests pass `observe` (their id, counters, the audit line) and `guard` (who may call, is the request well-formed),
//! then a handler in `routes`, one endpoint a file; `documents` turns what the engine knows into the JSON of the contract.

mod api_key;
mod app;
mod assets;
mod connection;
mod documents;
mod entrance;
mod events;
mod guard;
mod latest_status;
mod metrics;
mod observe;
mod openapi;
mod options;
mod present_routes;
mod problem;
mod request;
mod request_id;
mod router;
mod routes;
mod server;
#[cfg(test)]
mod test_engine;
mod unknown_method;
mod validators;
mod write_deadline;

pub use api_key::{ApiKeyHash, InvalidApiKeyHash};
pub use documents::status_document;
pub use options::{ServerLimits, ServerOptions};
pub use routes::openapi::openapi_document;
pub use server::{BindError, Readiness, Server};
