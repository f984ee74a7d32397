//! How many files, connections among them, the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for every connection that is served at a time, the store and requests to the upstream.
const WANTED: u64 = 8_192;

/// Raises the limit as far as that is allowed and wanted. Many systems begin with 1,024, which a few
/// hundred idle clients would use up.
pub(crate) fn raise_limit() {
    let limits = getrlimit(Resource::Nofile);
    let allowed = limits.maximum.unwrap_or(u64::MAX);
    let wanted = WANTED.min(allowed);
    if limits.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = Rlimit { current: Some(wanted), maximum: limits.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, wanted, "could not raise the limit of open files");
    }
}
