//! Sled panics on some damage and some failed writes. That ends neither a thread of ours nor a request, and whoever runs
//! the program reads a line of the log instead of a backtrace.
//!
//! What sled says then is for the log only: some of its messages show the whole database.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread;

use price_cache_domain::StoreError;

/// What the names of sled's own threads begin with.
const SLED_THREADS: &str = "sled-";
/// As much of a message is logged.
const MESSAGE_BYTES_MAX: usize = 300;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs code of sled; a panic in it becomes an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    guarded_or(work, || StoreError::Io("the database stopped unexpectedly; the log says more".to_owned()))
}

/// The same with an error of one's own.
pub(crate) fn guarded_or<T>(
    work: impl FnOnce() -> Result<T, StoreError>,
    panicked: impl FnOnce() -> StoreError,
) -> Result<T, StoreError> {
    tell_panics_to_the_log();
    let was_guarded = IS_GUARDED.replace(true);
    // What a panic may leave half done is sled's handle, which is dropped after any error in writing.
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(was_guarded);
    result.unwrap_or_else(|_panic| Err(panicked()))
}

/// From the first use on, panics of sled go to the log; all others go where they went before.
fn tell_panics_to_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            let is_of_sled = thread::current().name().is_some_and(|name| name.starts_with(SLED_THREADS));
            if is_of_sled || IS_GUARDED.get() { tell(panic) } else { before(panic) }
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
