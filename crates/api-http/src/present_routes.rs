//! The routes that hold now: those of a server that recovers, until there are others; with the same guards before them.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::entrance::Entrance;
use crate::guard::guard;
use crate::observe::observe;
use crate::routes;
use crate::routes::recovering::Reason;

/// Returns the routes behind the guards and counters.
pub(crate) fn guarded(entrance: &Entrance, routes: Router) -> Router {
    routes
        .layer(from_fn_with_state(entrance.clone(), guard))
        .layer(from_fn_with_state(entrance.clone(), observe))
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
        let recovering = guarded(entrance, routes::recovering::router(reason.clone()));
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
