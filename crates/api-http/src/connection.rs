//! One connection from a client, served by hyper with time limits.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::options::ServerLimits;

/// Headers that are read of one request at most; the guard, which answers in words, allows fewer.
const HEADERS_READ_MAX: usize = 128;
/// What is read ahead of a connection at most, which bounds the headers.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Serves requests until the client leaves, is too slow, or the server ends.
pub(crate) async fn serve(
    stream: TcpStream,
    router: Router,
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
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
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
