//! The server: starts, answers on its own connections, stops and starts again on the same port.

mod accept;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::faults::{FaultError, FaultPlan, Faults};
use crate::ledger::{Ledger, LedgerSnapshot};
use crate::rate_limit::Bucket;
use crate::shared::Shared;
use crate::{Catalogue, Latency, Options};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Listens and answers until the handle is stopped or dropped. Must be called within a tokio runtime.
    pub async fn start(options: Options) -> io::Result<Handle> {
        options.faults.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = listen(options.listen)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            address,
            seed: options.seed,
            etags: options.etags,
            authorization: options.bearer_token.map(|token| format!("Bearer {token}")),
            catalogue: RwLock::new(Arc::new(options.catalogue)),
            plan: RwLock::new(Arc::new(FaultPlan::new(options.seed, options.faults))),
            latency: RwLock::new(options.latency),
            rate_limit: options.rate_limit.map(Bucket::new),
            ledger: Arc::new(Ledger::new(options.count_pairs)),
        });
        let running = Running::begin(listener, &shared);
        Ok(Handle { shared, running: Mutex::new(Some(running)) })
    }
}

/// A running simulator. It stops when this is dropped.
pub struct Handle {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
}

/// The accepting task. Dropping it stops the task, too, without waiting for its end.
struct Running {
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Running {
    fn begin(listener: TcpListener, shared: &Arc<Shared>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, accepting: tokio::spawn(accept::run(listener, Arc::clone(shared), stopped)) }
    }
}

impl Handle {
    /// Where it answers, such as `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.shared.base_url()
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Replaces all faults, from the next request on.
    pub fn set_faults(&self, faults: Faults) -> Result<(), FaultError> {
        self.shared.set_faults(faults)
    }

    /// The faults of now.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared.plan().faults().clone()
    }

    /// Replaces the latency, from the next request on.
    pub fn set_latency(&self, latency: Latency) {
        self.shared.set_latency(latency);
    }

    /// Changes the catalogue, from the next request on.
    pub fn catalogue_mut<R>(&self, change: impl FnOnce(&mut Catalogue) -> R) -> R {
        let mut catalogue = self.shared.catalogue.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut catalogue))
    }

    /// The catalogue of now.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.shared.catalogue()
    }

    /// The counters of now. They can be read after a stop, too.
    #[must_use]
    pub fn ledger(&self) -> LedgerSnapshot {
        self.shared.ledger.snapshot()
    }

    /// Returns as soon as the counts are as wanted. They are looked at now and whenever a price request begins or ends, so a
    /// test needs no sleep. The closure must not call this handle.
    pub async fn wait_until(&self, wanted: impl Fn(&LedgerSnapshot) -> bool) {
        self.shared.ledger.wait_until(wanted).await;
    }

    /// Forgets all counts, and with them the numbers of attempts from which faults are drawn.
    pub fn clear_ledger(&self) {
        self.shared.ledger.clear();
    }

    /// Closes the listener and every connection at once; returns when nothing is open any more.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, accepting }) = running {
            drop(stop);
            // The task has no result; that it has ended is what matters.
            let _ = accepting.await;
        }
    }

    /// Listens again on the same address after a stop, with the same catalogue, faults and counters.
    pub async fn restart(&self) -> io::Result<()> {
        self.stop().await;
        let listener = listen(self.shared.address)?;
        let running = Running::begin(listener, &self.shared);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Handle").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of a stopped simulator may linger in TIME_WAIT on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
