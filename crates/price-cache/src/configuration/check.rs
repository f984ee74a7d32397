//! Looks for what is well-formed but cannot work.

use price_cache_source_http::ConfigProblem;

use super::Configuration;

/// Markets at a time at most.
const PARALLEL_MARKETS_MAX: usize = 256;
/// Undurable records per market at most.
const UNDURABLE_RECORDS_MAX: usize = 1_024;
/// Attempts per product at most.
const ATTEMPTS_MAX: u32 = 100;

/// Everything that is wrong, each with its key.
pub(super) fn problems(configuration: &Configuration) -> Vec<ConfigProblem> {
    let mut problems = configuration.source.validate().err().unwrap_or_default();
    let mut refuse =
        |key: &str, message: String| problems.push(ConfigProblem { key: key.to_owned(), message });
    let run = &configuration.run;
    if run.parallel_markets.get() > PARALLEL_MARKETS_MAX {
        refuse(
            "run.parallel_markets",
            format!("at most {PARALLEL_MARKETS_MAX} markets can be walked at a time"),
        );
    }
    if run.undurable_records_max.get() > UNDURABLE_RECORDS_MAX {
        refuse("run.undurable_records_max", format!("must be at most {UNDURABLE_RECORDS_MAX}"));
    }
    if run.retry.attempts_max.get() > ATTEMPTS_MAX {
        refuse("run.retry.attempts_max", format!("must be at most {ATTEMPTS_MAX}"));
    }
    if run.retry.backoff_start > run.retry.backoff_max {
        refuse("run.retry.backoff_start", "must not be longer than run.retry.backoff_max".to_owned());
    }
    let listen = configuration.server.listen;
    if !listen.ip().is_loopback() {
        refuse(
            "server.listen",
            format!(
                "{listen} is not a loopback address, and anyone who reaches it could control the run; listen on \
                 127.0.0.1 or [::1] behind a reverse proxy that authenticates"
            ),
        );
    }
    problems
}
