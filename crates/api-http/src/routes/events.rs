//! `GET /api/cache/prices/events`: status, transitions and calls as Server-Sent Events.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName};

use crate::app::App;
use crate::events::{Subscriber, Timing};
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::request::Parameters;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks reverse proxies to pass each piece on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) fn endpoint() -> Endpoint {
    let path = "/api/cache/prices/events";
    Endpoint::get(path, handle, ("followEvents", Tag::Run, "What happens, as Server-Sent Events"))
        .described(
            "`status` has a Status: the first at once, then whenever it changed, at most ten a second. `transition` has a \
             Transition, `log` a LogEntry. A comment comes every 15 seconds when nothing else does. The stream does \
             not end by itself.",
        )
        .parameter(Parameter::header("Last-Event-ID", "The id of the last event seen: what came after it is sent first."))
        .text("text/event-stream", "Events, until one side leaves.", Some(EXAMPLE))
}

/// One event, as it is sent.
const EXAMPLE: &str = "id: 1f0c3a52-7\nevent: transition\ndata: {\"at\":\"2026-01-01T00:00:00.000Z\",\
    \"from\":\"IDLE\",\"to\":\"INITIALIZING\",\"event\":\"start\",\"actor\":\"api\",\"reason\":null}\n\n";

pub(crate) async fn handle(
    State(app): State<App>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    parameters.only(&[])?;
    let Some(place) = app.events.place() else {
        let max = app.events.subscribers_max();
        return Err(Problem::unavailable(format!(
            "{max} clients follow the events already, which is the limit; ask for the status instead, or come again"
        )));
    };
    // What is no text cannot be an id of ours either.
    let last_id = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or("?"));
    let subscriber = Subscriber::new(app, place, last_id.filter(|id| !id.is_empty()), Timing::default());
    let pieces = stream::unfold(subscriber, |mut subscriber| async move {
        let piece = subscriber.next().await?;
        Some((Ok::<_, Infallible>(piece), subscriber))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
