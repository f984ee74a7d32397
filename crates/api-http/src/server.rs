//! The listener: accepts connections up to a limit, before there is a run to tell of as well, and ends them in
//! good order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use price_cache_domain::Timestamp;
use price_cache_engine::Handle;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::connection::{self, Client};
use crate::entrance::Entrance;
use crate::events::Events;
use crate::latest_status::LatestStatus;
use crate::options::{ServerLimits, ServerOptions};
use crate::present_routes::PresentRoutes;
use crate::router::router;

/// How long to wait after the system could not accept a connection, as when file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that the system keeps until they are accepted.
const BACKLOG: u32 = 1_024;
/// What the system keeps of an answer that its client has not read yet; without a limit it takes several
/// MiB of each client that reads nothing.
const SEND_BUFFER_BYTES: u32 = 256 * 1024;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Only loopback addresses are safe without keys.
    #[error(
        "refusing to listen on {0} without an API key: anyone who reaches that address could control the run; set \
         server.api_keys = [\"sha256:HEX\"], where `printf %s KEY | sha256sum` prints HEX, or listen on 127.0.0.1"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {error}; choose another with server.listen")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

/// Takes the address. Connections have the settings of the socket that they come in by.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of a server that just ended do not keep the next one from its address.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A server that has its address.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    routes: PresentRoutes,
    limits: ServerLimits,
    events: Arc<Events>,
}

/// What a server waits for: the service whose run is recovered. Where it is dropped unused, the server goes
/// on to say that it is not ready.
#[must_use = "without it the server is never ready"]
pub struct Readiness {
    entrance: Entrance,
    routes: PresentRoutes,
    events: Arc<Events>,
    bound: Instant,
}

impl Readiness {
    /// Says why the server is not ready yet, in place of an earlier reason.
    pub fn not_yet(&self, reason: impl Into<String>) {
        self.routes.reason.set(reason.into());
    }

    /// From now on requests are answered by this service.
    pub fn with(self, engine: Handle) {
        let Entrance { options, metrics } = self.entrance;
        let observer = Arc::clone(&metrics);
        engine.event_log().observe(move |settled| observer.products.count(settled));
        let age_ms = i64::try_from(self.bound.elapsed().as_millis()).unwrap_or(i64::MAX);
        let began = Timestamp::from_millis(engine.now().as_millis().saturating_sub(age_ms));
        let status = LatestStatus::new(engine.clone());
        self.routes.become_ready(router(App {
            engine,
            options,
            events: self.events,
            status,
            metrics,
            began,
        }));
    }
}

impl Server {
    /// Takes the address. Once [`serve`](Self::serve) runs, clients are answered that the server recovers, until
    /// the [`Readiness`] has a service. Needs a tokio runtime.
    pub fn bind(options: ServerOptions) -> Result<(Self, Readiness), BindError> {
        let address = options.listen;
        if !address.ip().is_loopback() && options.api_keys.is_empty() {
            return Err(BindError::NotLoopback(address));
        }
        let failed = |error| BindError::Address { address, error };
        let listener = listen(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let limits = options.limits;
        let entrance = Entrance { options: Arc::new(options), metrics: Arc::default() };
        let routes = PresentRoutes::recovering(&entrance);
        let events = Arc::new(Events::new(limits.event_subscribers_max));
        let server = Self { listener, address, routes: routes.clone(), limits, events: Arc::clone(&events) };
        Ok((server, Readiness { entrance, routes, events, bound: Instant::now() }))
    }

    /// Where it listens, with the port that the system chose if it was asked to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stopping` is cancelled, then lets those under way finish for a moment.
    pub async fn serve(self, stopping: CancellationToken) {
        let limits = self.limits;
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let connections = TaskTracker::new();
        loop {
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (self.listener.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                () = stopping.cancelled() => break,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let client = Client { stream, peer };
                    let served = connection::serve(client, self.routes.clone(), limits, stopping.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // These would never finish by themselves.
        self.events.end();
        drop(self.listener);
        connections.close();
        if tokio::time::timeout(limits.shutdown_time_max, connections.wait()).await.is_err() {
            tracing::warn!("connections that did not end were given up");
        }
    }
}
