//! Embedded databases panic on some damage and some failed writes. That ends neither a thread of ours nor a request, and
//! the operator reads a line of the log instead of a backtrace.
//!
//! The messages of such panics are for the log only: some show the whole database.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Once, OnceLock};
use std::thread;

use price_cache_domain::StoreError;

/// How many bytes of a message are logged.
const MESSAGE_BYTES_MAX: usize = 300;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs code of the database; a panic in it becomes an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    guarded_or(work, || StoreError::Io("the database stopped unexpectedly; the log says more".to_owned()))
}

/// The same with an error of one's own.
pub(crate) fn guarded_or<T>(
    work: impl FnOnce() -> Result<T, StoreError>,
    panicked: impl FnOnce() -> StoreError,
) -> Result<T, StoreError> {
    panics_go_to_the_log(None);
    let was_guarded = IS_GUARDED.replace(true);
    // What a panic may leave half done is the database's handle, which is dropped after any error in writing.
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(was_guarded);
    result.unwrap_or_else(|_panic| Err(panicked()))
}

/// Runs code of the database that only reads, or opens it: a panic means that its files contradict each other.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    guarded_or(work, contradiction)
}

/// What it means that a database panics without having been written to.
pub(crate) fn contradiction() -> StoreError {
    StoreError::Damaged("the pages of the database contradict each other".to_owned())
}

/// From the first call on, panics of the database go to the log; all others go where they went before. The threads of a
/// database are known by what their names begin with.
pub(crate) fn panics_go_to_the_log(thread_prefix: Option<&'static str>) {
    static ONCE: Once = Once::new();
    static THREAD_PREFIX: OnceLock<&'static str> = OnceLock::new();
    if let Some(prefix) = thread_prefix {
        // One process opens databases of one kind with threads of their own.
        let _ = THREAD_PREFIX.set(prefix);
    }
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            let prefix = THREAD_PREFIX.get();
            let is_of_database =
                thread::current().name().zip(prefix).is_some_and(|(name, prefix)| name.starts_with(prefix));
            if is_of_database || IS_GUARDED.get() { tell(panic) } else { before(panic) }
        }));
    });
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("no message");
    let message = &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)];
    tracing::error!(message, place, "the database stopped unexpectedly");
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let broken: Result<(), _> = guarded(|| panic!("broken"));
        assert!(matches!(&broken, Err(StoreError::Io(message)) if !message.contains("broken")), "{broken:?}");
        let damaged: Result<(), _> = guarded_or(|| panic!("odd"), || StoreError::Damaged("so".to_owned()));
        assert_eq!(damaged, Err(StoreError::Damaged("so".to_owned())));
        assert!(!IS_GUARDED.get());
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }
}
