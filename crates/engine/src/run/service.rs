//! Opening the service: recovery first, then the task that owns the run.

use std::sync::Arc;

use price_cache_domain::{Change, Clock, EventKind, Guard, Hook, Machine, PriceSource, RunTable, Store};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::error::OpenError;
use crate::options::Options;
use crate::run::core::Core;
use crate::run::handle::Handle;
use crate::run::recovery::{Recovered, recover};
use crate::run::shell::Shell;
use crate::view::event_log::EventLog;
use crate::view::reader::CacheReader;
use crate::view::request_log::RequestLog;
use crate::view::snapshot::Snapshot;
use crate::walk::options::WalkOptions;
use crate::walk::reporter::Reporter;
use crate::walk::session::Sessions;
use crate::walk::upstream_access::UpstreamAccess;

/// Commands on their way to the task that owns the run; the sender of another one waits.
const COMMANDS_MAX: usize = 64;

/// Reports of workers on their way to it.
const REPORTS_MAX: usize = 1_024;

/// The outside world of a service.
#[derive(Clone)]
pub struct Ports {
    /// Keeps everything.
    pub store: Arc<dyn Store>,
    /// Knows the prices.
    pub source: Arc<dyn PriceSource>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// A price cache about to be opened.
pub struct CacheService {
    ports: Ports,
    options: Options,
    guards: Vec<Box<dyn Guard<RunTable>>>,
    hooks: Vec<Box<dyn Hook<RunTable>>>,
}

impl CacheService {
    /// A service on these ports.
    pub fn new(ports: Ports, options: Options) -> Self {
        Self { ports, options, guards: Vec::new(), hooks: Vec::new() }
    }

    /// Adds a guard that may veto transitions of the run.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Guard<RunTable> + 'static) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// Adds a hook that sees each transition of the run.
    #[must_use]
    pub fn with_hook(mut self, hook: impl Hook<RunTable> + 'static) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// Recovers the run from the store and starts the task that owns it, on the present tokio runtime.
    /// The task ends after [`Handle::shutdown`], or when the last handle is dropped.
    pub async fn open(self) -> Result<(Handle, JoinHandle<()>), OpenError> {
        let Self { ports, options, guards, hooks } = self;
        let requests = Arc::new(RequestLog::default());
        let events = Arc::new(EventLog::default());
        let Recovered { run, markets } = recover(&*ports.store, &requests, &options).await?;
        let machine = Machine::<RunTable>::new(run.clone()).with_hook(trace);
        let hooked = Arc::clone(&events);
        let machine = machine.with_hook(move |change: &Change<'_, RunTable>| hooked.transitioned(change));
        let machine = guards.into_iter().fold(machine, Machine::with_boxed_guard);
        let machine = hooks.into_iter().fold(machine, Machine::with_boxed_hook);
        let (publisher, snapshot) = watch::channel(Snapshot {
            run,
            markets,
            stop_requested: false,
            retry_at: None,
            parallel_markets: options.parallel_markets.get(),
            end_of_market_retry: options.retry.end_of_market_retry,
        });
        let (inputs, commands) = mpsc::channel(COMMANDS_MAX);
        let (reporter, reports) = Reporter::channel(REPORTS_MAX);
        let upstream = Arc::new(UpstreamAccess::new(options.clone(), Arc::clone(&ports.clock)));
        let sessions = Sessions {
            store: Arc::clone(&ports.store),
            source: Arc::clone(&ports.source),
            clock: Arc::clone(&ports.clock),
            upstream: Arc::clone(&upstream),
            reporter,
            options: WalkOptions {
                parallel_markets: options.parallel_markets.get(),
                max_unsynced_writes: options.max_unsynced_writes.get(),
                end_of_market_retry: options.retry.end_of_market_retry,
            },
        };
        let core = Core::new(machine, publisher, Arc::clone(&requests), Arc::clone(&events));
        let task = tokio::spawn(Shell::new(core, sessions, options).run(commands, reports));
        let reader = CacheReader::new(ports.store);
        let (source, clock) = (ports.source, ports.clock);
        let handle = Handle { inputs, snapshot, requests, events, reader, upstream, source, clock };
        Ok((handle, task))
    }
}

/// One line in the log for each transition but the one per product.
fn trace(change: &Change<'_, RunTable>) {
    let event = change.event.kind();
    if !matches!(event, EventKind::ProductDone | EventKind::MarketDone) {
        tracing::info!(
            from = %change.from.status(),
            to = %change.to.status(),
            %event,
            actor = %change.actor,
            "transition"
        );
    }
}
