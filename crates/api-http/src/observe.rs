//! Around every request: its id, a span for log lines, a line for who changed something, and counters.

use std::net::SocketAddr;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::api_key::UsedKey;
use crate::entrance::Entrance;
use crate::request_id::{X_REQUEST_ID, header_value, request_id};

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Stands outside the guard, so that it sees what the guard refuses as well.
pub(crate) async fn observe(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let span = tracing::info_span!("request", id);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    entrance.metrics.http.count(route.as_ref().map(MatchedPath::as_str), &method, status);
    if !method.is_safe() {
        let key = response.extensions().get::<UsedKey>().map(|key| key.0.fingerprint());
        let _entered = span.enter();
        tracing::info!(
            target: "audit",
            %method,
            path,
            status = status.as_u16(),
            remote = peer.map(tracing::field::display),
            key = key.as_deref().unwrap_or("none"),
            request_id = id,
            "state-changing request"
        );
    }
    response.headers_mut().insert(X_REQUEST_ID, header_value(&id));
    response
}
