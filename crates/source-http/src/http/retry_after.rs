//! `Retry-After`: how long a server asks to wait.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// A wait that is longer is nonsense, not a wait: ten thousand years.
const SECONDS_MAX: u64 = 10_000 * 366 * 86_400;

/// The wait that the headers ask for; none where they ask for none, or for zero, the past or nonsense.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let then = httpdate::parse_http_date(text).ok()?;
            // By the server's own clock where it tells it: ours may be wrong.
            let now = headers
                .get(DATE)
                .and_then(|date| date.to_str().ok())
                .and_then(|date| httpdate::parse_http_date(date).ok())
                .unwrap_or_else(SystemTime::now);
            then.duration_since(now).ok()?.as_secs()
        }
    };
    (1..=SECONDS_MAX).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn wait(retry: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Mon, 23 Nov 2026 10:00:00 GMT".parse().unwrap());
        headers.insert(RETRY_AFTER, retry.parse().unwrap());
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood_and_nonsense_is_not() {
        for (retry, expected) in [
            ("2", Some(2)),
            (" 120 ", Some(120)),
            ("1000000000", Some(1_000_000_000)),
            ("Mon, 23 Nov 2026 10:00:30 GMT", Some(30)),
            ("Monday, 23-Nov-26 10:00:30 GMT", Some(30)),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", None),
            ("18446744073709551615", None),
            ("Mon, 23 Nov 2026 10:00:00 GMT", None),
            ("Mon, 23 Nov 2020 10:00:00 GMT", None),
        ] {
            assert_eq!(wait(retry), expected, "{retry}");
        }
        assert!(wait("Fri, 31 Dec 9999 23:59:59 GMT") > Some(200_000_000_000));
    }

    #[test]
    fn without_a_clock_of_the_server_ours_is_used() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Fri, 31 Dec 2100 23:59:59 GMT".parse().unwrap());
        assert!(retry_after(&headers).is_some());
    }
}
