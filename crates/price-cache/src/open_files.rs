//! How many files, connections among them, the process may have open, and how many of them clients may take.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for every connection that is served at a time, the store and requests to the upstream.
const WANTED: u64 = 8_192;

/// Kept back for the store, the logs, the runtime and whatever the libraries open for a moment.
const RESERVED: u64 = 24;

/// Raises the limit as far as that is allowed and wanted, and tells what it is now. Many systems begin with
/// 1,024, which a few hundred idle clients would use up.
pub(crate) fn raise_limit() -> u64 {
    let limits = getrlimit(Resource::Nofile);
    let allowed = limits.maximum.unwrap_or(u64::MAX);
    let wanted = WANTED.min(allowed);
    let current = limits.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit { current: Some(wanted), maximum: limits.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, wanted, "could not raise the limit of open files");
            current
        }
    }
}

/// How many clients may be connected at a time, of `wanted`, so that `files_max` open files are enough for the run
/// as well, which has a connection for each market under way. One may always be.
pub(crate) fn connections_max(files_max: u64, parallel_markets: usize, wanted: usize) -> usize {
    let markets = u64::try_from(parallel_markets).unwrap_or(u64::MAX);
    let left = files_max.saturating_sub(RESERVED).saturating_sub(markets).max(1);
    usize::try_from(left).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::connections_max;

    #[test]
    fn clients_leave_files_for_the_run() {
        for (files_max, parallel_markets, expected) in
            [(u64::MAX, 4, 2_048), (8_192, 4, 2_048), (1_024, 16, 984), (64, 4, 36), (20, 4, 1)]
        {
            assert_eq!(connections_max(files_max, parallel_markets, 2_048), expected);
        }
    }
}
