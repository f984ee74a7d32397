//! What every request passes on its way in, whether the run is still being recovered or not.

use std::sync::Arc;

use crate::metrics::Metrics;
use crate::options::ServerOptions;

/// What is there before the run is.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) options: Arc<ServerOptions>,
    pub(crate) metrics: Arc<Metrics>,
}
