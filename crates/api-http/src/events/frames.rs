//! The text of single events (HTML Living Standard, section 9.2).

use bytes::BytesMut;
use price_cache_engine::{EngineEvent, Handle};
use serde::Serialize;

use crate::documents::{log_entry, transition};

/// Says that the connection lives; clients pass it over.
pub(super) const HEARTBEAT: &str = ": heartbeat\n\n";

/// An event of this name, without an id.
fn event(name: &str, data: &impl Serialize) -> String {
    match serde_json::to_string(data) {
        // JSON has its line ends escaped, so one line of data it is.
        Ok(json) => format!("event: {name}\ndata: {json}\n\n"),
        Err(error) => {
            tracing::error!(%error, name, "an event could not be written");
            ": an event could not be written\n\n".to_owned()
        }
    }
}

/// Adds the event of a status, which is JSON on one line.
pub(super) fn status(piece: &mut BytesMut, json: &[u8]) {
    piece.extend_from_slice(b"event: status\ndata: ");
    piece.extend_from_slice(json);
    piece.extend_from_slice(b"\n\n");
}

/// The event of an entry of the event log.
pub(super) fn happened(engine: &Handle, happened: &EngineEvent) -> String {
    match happened {
        EngineEvent::Transition(change) => event("transition", &transition(change)),
        EngineEvent::Request(call) => {
            event("log", &log_entry(call, engine.price_url(&call.market, &call.product)))
        }
    }
}

/// Tells a person who reads the stream that there is a gap.
pub(super) fn missed(count: u64) -> String {
    format!(": {count} events were missed\n\n")
}
