//! Accepts connections and serves HTTP/1.1 on each until the client or the simulator ends it.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::routes;
use crate::shared::Shared;
use crate::socket::{Peer, Socket};

/// Connections beyond this are closed unanswered.
const CONNECTIONS_MAX: usize = 4096;
/// Before the next try when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Runs until the other end of `stopped` is used or dropped, and returns when every connection is closed.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Without this option small answers may be late; they are still right.
    let _ = stream.set_nodelay(true);
    let peer = Arc::new(Peer::new(stream));
    let io = TokioIo::new(Socket(Arc::clone(&peer)));
    let service = service_fn(move |request| routes::answer(Arc::clone(&shared), Arc::clone(&peer), request));
    // A connection ends with an error whenever a fault or the client breaks it: nothing to report.
    let _ = http1::Builder::new().header_read_timeout(None).serve_connection(io, service).await;
}
