//! A future that waits until a test opens it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Locks, also after a test panicked while it held the lock: what it protects is counters and queues,
/// which are whole at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct State<T> {
    value: Option<T>,
    wakers: Vec<Waker>,
}

/// Closed until a value is put in; then everyone who waits gets a clone of it. A clone is the same gate.
pub(crate) struct Gate<T>(Arc<Mutex<State<T>>>);

impl<T> Clone for Gate<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Default for Gate<T> {
    fn default() -> Self {
        Self::closed()
    }
}

impl<T: Clone> Gate<T> {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Mutex::new(State { value: None, wakers: Vec::new() })))
    }

    pub(crate) fn open(&self, value: T) {
        let wakers = {
            let mut state = lock(&self.0);
            state.value = Some(value);
            std::mem::take(&mut state.wakers)
        };
        for waker in wakers {
            waker.wake();
        }
    }
}

impl<T: Clone> Future for Gate<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut state = lock(&self.0);
        if let Some(value) = &state.value {
            return Poll::Ready(value.clone());
        }
        let waker = context.waker();
        if !state.wakers.iter().any(|waiting| waiting.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        Poll::Pending
    }
}
