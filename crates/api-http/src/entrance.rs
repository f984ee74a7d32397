//! What every request passes on its way in, whether the run is still being recovered or not.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::guard::guard;
use crate::metrics::Metrics;
use crate::observe::observe;
use crate::options::ServerOptions;
use crate::routes;
use crate::routes::recovering::Reason;

/// What is there before the run is.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) options: Arc<ServerOptions>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Entrance {
    /// The same guards and counters for whatever routes there are.
    pub(crate) fn before(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), guard)).layer(from_fn_with_state(self.clone(), observe))
    }
}

/// The routes that hold now: those of a server that recovers, until there are others.
#[derive(Clone)]
pub(crate) struct PresentRoutes {
    recovering: Router,
    /// Why the others are not there yet.
    pub(crate) reason: Reason,
    ready: Arc<OnceLock<Router>>,
}

impl PresentRoutes {
    pub(crate) fn recovering(entrance: &Entrance) -> Self {
        let reason = Reason::default();
        let recovering = entrance.before(routes::recovering::router(reason.clone()));
        Self { recovering, reason, ready: Arc::default() }
    }

    /// From the next request on, of open connections as well. What is ready stays so: later routes are dropped.
    pub(crate) fn become_ready(&self, routes: Router) {
        let _ = self.ready.set(routes);
    }

    pub(crate) fn now(&self) -> Router {
        self.ready.get().unwrap_or(&self.recovering).clone()
    }
}
