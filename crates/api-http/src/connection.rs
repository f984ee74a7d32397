//! One connection from a client, served by hyper with time limits.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::observe::Peer;
use crate::options::ServerLimits;
use crate::present_routes::PresentRoutes;
use crate::write_deadline::WriteDeadline;

/// Headers that are read of one request at most; the guard, which answers in words, allows fewer.
const HEADERS_READ_MAX: usize = 128;
/// What is read ahead of a connection at most, which bounds the headers.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// A connection that was accepted.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// Who is at its other end.
    pub(crate) peer: SocketAddr,
}

/// Serves requests until the client leaves, is too slow, or the server ends.
pub(crate) async fn serve(
    Client { stream, peer }: Client,
    routes: PresentRoutes,
    limits: ServerLimits,
    stopping: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not turn off Nagle's algorithm");
    }
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time_max)
        .max_headers(HEADERS_READ_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .half_close(false);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        routes.now().oneshot(request)
    });
    let stream = WriteDeadline::new(stream, limits.write_time_max);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let rest = tokio::time::timeout(shortly(limits.shutdown_time_max), connection).await;
            rest.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A little less than the server itself waits, so that connections end before it gives them up.
fn shortly(limit: Duration) -> Duration {
    limit.mul_f32(0.9)
}
