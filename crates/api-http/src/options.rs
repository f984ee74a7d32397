//! What an operator may set about the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::api_key::ApiKeyHash;

/// The port that the server listens on unless told otherwise.
pub(crate) const DEFAULT_PORT: u16 = 4680;

/// Settings of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Where to listen; without API keys it must be a loopback address. Port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Names besides loopback ones that a request's `Host` may carry, without port.
    pub allowed_hosts: Vec<String>,
    /// Who may use the API and the metrics; without any, everyone who reaches the server.
    pub api_keys: Vec<ApiKeyHash>,
    /// A price older than this is called stale.
    pub stale_after: Duration,
    /// Limits of every connection.
    pub limits: ServerLimits,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            allowed_hosts: Vec::new(),
            api_keys: Vec::new(),
            stale_after: Duration::from_secs(7 * 24 * 3_600),
            limits: ServerLimits::default(),
        }
    }
}

/// Limits of every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections served at a time; more wait in the listener's queue.
    pub connections_max: usize,
    /// From the first byte of a connection, or the end of the answer before, to the end of the headers.
    pub header_time_max: Duration,
    /// From the headers to the end of a request's body.
    pub body_time_max: Duration,
    /// From the headers to an answer. What a command asked for goes on after that.
    pub answer_time_max: Duration,
    /// A request's body.
    pub body_bytes_max: usize,
    /// A request's path and query.
    pub target_bytes_max: usize,
    /// How long a client may leave its answer unread while more of it waits.
    pub write_time_max: Duration,
    /// Clients that follow the events at a time.
    pub event_subscribers_max: usize,
    /// How long requests under way may go on at shutdown.
    pub shutdown_time_max: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            header_time_max: Duration::from_secs(10),
            body_time_max: Duration::from_secs(10),
            answer_time_max: Duration::from_secs(25),
            body_bytes_max: 64 * 1024,
            target_bytes_max: 8 * 1024,
            write_time_max: Duration::from_secs(30),
            event_subscribers_max: 64,
            shutdown_time_max: Duration::from_secs(2),
        }
    }
}
