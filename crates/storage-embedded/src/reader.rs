//! Threads for reads of many records, so that those never hold up an asynchronous worker.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use price_cache_domain::StoreError;
use tokio::sync::oneshot;

use crate::Backend;
use crate::shared::Shared;

/// Threads that read. Two, so that a long export does not hold up a recovery.
const READ_THREADS: usize = 2;
/// Reads that may wait for a thread.
const READS_QUEUED_MAX: usize = 1_024;

type Job<B> = Box<dyn FnOnce(&Shared<B>) + Send>;

pub(crate) struct Readers<B> {
    jobs: Option<SyncSender<Job<B>>>,
    threads: Vec<JoinHandle<()>>,
}

impl<B: Backend> Readers<B> {
    pub(crate) fn start(shared: &Arc<Shared<B>>) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel::<Job<B>>(READS_QUEUED_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut readers = Self { jobs: Some(jobs), threads: Vec::with_capacity(READ_THREADS) };
        for number in 1..=READ_THREADS {
            let (shared, waiting) = (Arc::clone(shared), Arc::clone(&waiting));
            let thread = thread::Builder::new()
                .name(format!("price-cache-read-{number}"))
                .spawn(move || serve(&shared, &waiting))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Reads on one of the threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&B) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_shared(|shared| shared.read(work)).await
    }

    /// Does work on one of the threads that reads more than once.
    pub(crate) async fn read_shared<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared<B>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job<B> = Box::new(move |shared| {
            // Nobody waits any more where the caller was cancelled.
            if !answer.is_closed() {
                let _ = answer.send(work(shared));
            }
        });
        let Some(jobs) = &self.jobs else { return Err(StoreError::Closed) };
        match jobs.try_send(job) {
            Ok(()) => answered.await.unwrap_or(Err(StoreError::Closed)),
            Err(TrySendError::Full(_)) => {
                Err(StoreError::Io(format!("more than {READS_QUEUED_MAX} reads wait for the disk")))
            }
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }
}

impl<B> Drop for Readers<B> {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A reading thread cannot panic: all its work is guarded.
            let _ = thread.join();
        }
    }
}

fn serve<B: Backend>(shared: &Shared<B>, waiting: &Mutex<Receiver<Job<B>>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(shared),
            Err(_) => return,
        }
    }
}
