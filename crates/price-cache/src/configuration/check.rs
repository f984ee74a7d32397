//! Looks for what is well-formed but cannot work.

use std::ops::RangeInclusive;
use std::time::Duration;

use price_cache_api_http::ApiKeyHash;
use price_cache_source_http::{ConfigProblem, Span};

use super::{Configuration, RunConfig, ServerConfig};

/// Markets at a time at most.
const PARALLEL_MARKETS_MAX: usize = 256;
/// Undurable records per market at most.
const UNSYNCED_WRITES_MAX: usize = 1_024;
/// API keys at most; each request is compared with all of them.
const API_KEYS_MAX: usize = 64;
/// Attempts per product at most.
const ATTEMPTS_MAX: u32 = 100;

/// Retries that a run may spend before any product came, at most.
const BUDGET_START_MAX: u32 = 1_000_000;
/// Retries that 100 products pay for, at most.
const BUDGET_PERCENT_MAX: u32 = 10_000;

/// Requests per second that can be set: from one in a quarter of an hour to what no timer can keep.
const RATES: RangeInclusive<f64> = 0.001..=10_000.0;

/// Failures in a row that park a market, at most: as many products are held back in memory.
const FAILURES_IN_A_ROW_MAX: u32 = 1_000;
/// The shortest wait before a probe.
const PROBE_DELAY_MIN: Duration = Duration::from_secs(1);

/// The longest that a price may wait for others to be made durable with it: a stop has to wait as long at worst.
const SYNC_INTERVAL_MAX: Duration = Duration::from_secs(1);

/// Everything that is wrong, each with its key.
pub(super) fn problems(configuration: &Configuration) -> Vec<ConfigProblem> {
    let mut problems = configuration.source.validate().err().unwrap_or_default();
    check_run(&configuration.run, &mut problems);
    check_server(&configuration.server, &mut problems);
    if configuration.storage.sync_interval.is_some_and(|interval| interval.duration() > SYNC_INTERVAL_MAX) {
        let (key, message) = ("storage.sync_interval".to_owned(), "must be at most 1s".to_owned());
        problems.push(ConfigProblem { key, message });
    }
    problems
}

fn check_run(run: &RunConfig, problems: &mut Vec<ConfigProblem>) {
    let mut refuse =
        |key: &str, message: String| problems.push(ConfigProblem { key: key.to_owned(), message });
    if run.parallel_markets.get() > PARALLEL_MARKETS_MAX {
        refuse(
            "run.parallel_markets",
            format!("at most {PARALLEL_MARKETS_MAX} markets can be walked at a time"),
        );
    }
    if run.max_unsynced_writes.get() > UNSYNCED_WRITES_MAX {
        refuse("run.max_unsynced_writes", format!("must be at most {UNSYNCED_WRITES_MAX}"));
    }
    if run.retry.attempts_max.get() > ATTEMPTS_MAX {
        refuse("run.retry.attempts_max", format!("must be at most {ATTEMPTS_MAX}"));
    }
    if run.retry.budget_start > BUDGET_START_MAX {
        refuse("run.retry.budget_start", format!("must be at most {BUDGET_START_MAX}"));
    }
    if run.retry.budget_percent > BUDGET_PERCENT_MAX {
        refuse("run.retry.budget_percent", format!("must be at most {BUDGET_PERCENT_MAX}"));
    }
    if run.retry.backoff_start > run.retry.backoff_max {
        refuse("run.retry.backoff_start", "must not be longer than run.retry.backoff_max".to_owned());
    }
    let rates = [
        ("run.pacing.requests_per_second", run.pacing.requests_per_second),
        ("run.pacing.market_requests_per_second", run.pacing.market_requests_per_second),
    ];
    for (key, rate) in rates {
        if rate.is_some_and(|rate| !RATES.contains(&rate)) {
            let (slowest, fastest) = (RATES.start(), RATES.end());
            refuse(
                key,
                format!("must be from {slowest} to {fastest} requests per second; leave it out for no limit"),
            );
        }
    }
    let parking = &run.parking;
    if parking.failures_in_a_row > FAILURES_IN_A_ROW_MAX {
        refuse("run.parking.failures_in_a_row", format!("must be at most {FAILURES_IN_A_ROW_MAX}"));
    }
    if parking.probe_delay_start < Span::from(PROBE_DELAY_MIN) {
        refuse("run.parking.probe_delay_start", format!("must be at least {} s", PROBE_DELAY_MIN.as_secs()));
    }
    if parking.probe_delay_start > parking.probe_delay_max {
        refuse(
            "run.parking.probe_delay_start",
            "must not be longer than run.parking.probe_delay_max".to_owned(),
        );
    }
}

fn check_server(server: &ServerConfig, problems: &mut Vec<ConfigProblem>) {
    let mut refuse =
        |key: &str, message: String| problems.push(ConfigProblem { key: key.to_owned(), message });
    if server.api_keys.len() > API_KEYS_MAX {
        refuse("server.api_keys", format!("at most {API_KEYS_MAX} keys can be set"));
    }
    for (index, key) in server.api_keys.iter().enumerate() {
        if let Err(error) = key.parse::<ApiKeyHash>() {
            refuse("server.api_keys", format!("entry {}: {error}", index + 1));
        }
    }
    let listen = server.listen;
    if !listen.ip().is_loopback() && server.api_keys.is_empty() {
        refuse(
            "server.listen",
            format!(
                "{listen} is not a loopback address, and anyone who reaches it could control the run; set \
                 server.api_keys = [\"sha256:HEX\"], where `printf %s KEY | sha256sum` prints HEX, or listen on 127.0.0.1"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::configuration::TEMPLATE;

    const HASH: &str = "sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

    fn problems_of_server(section: &str) -> Vec<(String, String)> {
        let mut configuration: Configuration = toml::from_str(TEMPLATE).unwrap();
        configuration.server = toml::from_str(section).unwrap();
        problems(&configuration).into_iter().map(|problem| (problem.key, problem.message)).collect()
    }

    #[test]
    fn a_rate_that_is_none_is_refused_with_the_way_out() {
        for rate in ["0", "-1", "nan", "inf", "1e9"] {
            let mut configuration: Configuration = toml::from_str(TEMPLATE).unwrap();
            configuration.run.pacing = toml::from_str(&format!("requests_per_second = {rate}")).unwrap();
            let refused = problems(&configuration);
            let [problem] = refused.as_slice() else { unreachable!("{rate}: {refused:?}") };
            assert_eq!(problem.key, "run.pacing.requests_per_second");
            assert!(problem.message.contains("leave it out"), "{}", problem.message);
        }
    }

    #[test]
    fn beyond_loopback_a_key_is_needed_and_the_sentence_says_how_to_set_one() {
        assert_eq!(problems_of_server(""), []);
        assert_eq!(problems_of_server(&format!("api_keys = [{HASH:?}]")), []);
        assert_eq!(problems_of_server(&format!("listen = \"0.0.0.0:80\"\napi_keys = [{HASH:?}]")), []);
        let refused = problems_of_server("listen = \"0.0.0.0:80\"");
        let [(key, message)] = refused.as_slice() else { unreachable!("{refused:?}") };
        assert_eq!(key, "server.listen");
        assert!(message.contains("server.api_keys") && message.contains("sha256sum"), "{message}");
    }

    #[test]
    fn what_is_no_hash_is_refused_by_its_number_and_not_repeated() {
        let refused = problems_of_server(&format!("api_keys = [{HASH:?}, \"my plain key\"]"));
        let [(key, message)] = refused.as_slice() else { unreachable!("{refused:?}") };
        assert_eq!(key, "server.api_keys");
        assert!(message.starts_with("entry 2: ") && !message.contains("plain"), "{message}");
    }
}
