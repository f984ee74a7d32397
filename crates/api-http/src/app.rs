//! What every handler has at hand.

use std::sync::Arc;

use price_cache_domain::Timestamp;
use price_cache_engine::Handle;

use crate::events::Events;
use crate::latest_status::LatestStatus;
use crate::metrics::Metrics;
use crate::options::ServerOptions;

/// Holds what handlers need; clones share it.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Handle,
    pub(crate) options: Arc<ServerOptions>,
    pub(crate) events: Arc<Events>,
    pub(crate) status: LatestStatus,
    pub(crate) metrics: Arc<Metrics>,
    /// When the server began.
    pub(crate) began: Timestamp,
}
