//! Threads of their own for the walk, which give way to all others: a request for the status or a price does not
//! wait for products to be fetched, nor does what else the machine has to do.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::context::TokioContext;

/// The threads' `nice` value: a tenth of the processor time that others get, where both want all of it.
const NICENESS: i32 = 10;

/// The threads of the walk and of requests to the upstream.
pub(crate) struct WalkRuntime {
    handle: Handle,
    /// Until it is dropped.
    runtime: Option<Runtime>,
}

impl WalkRuntime {
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.thread_name("walk").on_thread_start(give_way).enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Has what a future spawns run there.
    pub(crate) fn wrap<F: Future>(&self, future: F) -> TokioContext<F> {
        TokioContext::new(future, self.handle.clone())
    }
}

impl Drop for WalkRuntime {
    fn drop(&mut self) {
        // Whatever still hangs in a system call must not keep the program.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn give_way() {
    // Elsewhere it would be the priority of the whole program, not of the calling thread.
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::setpriority_process(None, NICENESS)
    {
        tracing::debug!(%error, "the walk keeps the priority of the program");
    }
}
