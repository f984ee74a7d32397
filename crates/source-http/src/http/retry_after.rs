//! How long a server asks to wait, in every spelling found in the field.

mod spelling;
mod time;

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap};

use super::quoted::split_outside_quotes;
use spelling::{Unit, longest};

/// The longest wait that is ever understood: ten thousand years. Numbers beyond it mean this.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10_000 * 366 * 86_400);

/// How long a header is obeyed that is there and cannot be read.
const UNREADABLE_WAIT: Duration = Duration::from_secs(1);

/// Headers that ask for a wait, whatever the status, with the unit of their plain numbers.
const WAITS: [(&str, Unit); 6] = [
    ("retry-after", Unit::Seconds),
    ("retry-after-ms", Unit::Milliseconds),
    ("x-ms-retry-after-ms", Unit::Milliseconds),
    ("x-retry-after", Unit::Seconds),
    ("x-ratelimit-retry-after", Unit::Seconds),
    ("ratelimit-retry-after", Unit::Seconds),
];

/// Headers that say when a quota is full again: they come with every answer and ask for a wait only
/// where the answer is a refusal.
const RESETS: [(&str, Unit); 4] = [
    ("ratelimit-reset", Unit::Seconds),
    ("x-ratelimit-reset", Unit::Seconds),
    ("x-rate-limit-reset", Unit::Seconds),
    ("x-rate-limit-time-reset-ms", Unit::Milliseconds),
];

/// Headers that say how many requests are left until the reset.
const REMAINING: [&str; 4] =
    ["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining", "x-rate-limit-requests-left"];

/// What an answer is, as far as its wait depends on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many requests: a reset of the quota is what to wait for.
    Limited,
    /// Not able to answer: a reset counts where no request is left.
    Unavailable,
    /// Anything else: only a wait that is asked for counts.
    Other,
}

impl Refusal {
    /// Tells by the status.
    pub(crate) const fn of(status: u16) -> Self {
        match status {
            429 => Self::Limited,
            503 => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

/// Tells whether a header asks for a wait explicitly.
pub(crate) fn asks_to_wait(headers: &HeaderMap) -> bool {
    WAITS.iter().any(|(name, _)| headers.contains_key(*name))
}

/// Finds the wait that the headers ask for; none where they ask for none, for zero or for the past.
pub(crate) fn retry_after(headers: &HeaderMap, refusal: Refusal) -> Option<Duration> {
    wait_at(headers, refusal, SystemTime::now())
}

/// Finds the wait where our clock says `now`.
fn wait_at(headers: &HeaderMap, refusal: Refusal, now: SystemTime) -> Option<Duration> {
    // By the server's own clock where it tells it: ours may be wrong.
    let told = headers.get(DATE).and_then(|date| time::parse(&String::from_utf8_lossy(date.as_bytes())));
    let now = told.or_else(|| time::since_epoch(now)).unwrap_or_default();
    let read = |(name, unit): &(&str, Unit)| {
        let values = texts(headers, name).map(|text| longest(&text, *unit, now).unwrap_or(UNREADABLE_WAIT));
        values.max()
    };
    let wait = if asks_to_wait(headers) {
        WAITS.iter().filter_map(read).max()
    } else {
        let counts = match refusal {
            Refusal::Limited => true,
            Refusal::Unavailable => !has_requests_left(headers),
            Refusal::Other => is_used_up(headers),
        };
        let of_quota = || RESETS.iter().find_map(read).or_else(|| draft_reset(headers, now));
        counts.then(of_quota).flatten()
    };
    wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(WAIT_MAX))
}

fn texts<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = String> + use<'h> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Tells whether a header says explicitly that no request is left.
pub(crate) fn is_used_up(headers: &HeaderMap) -> bool {
    let none = |text: String| text.trim().parse::<f64>().is_ok_and(|left| left <= 0.0);
    REMAINING.iter().any(|name| texts(headers, name).any(none))
}

fn has_requests_left(headers: &HeaderMap) -> bool {
    let left = |text: String| text.trim().parse::<f64>().is_ok_and(|left| left > 0.0);
    REMAINING.iter().any(|name| texts(headers, name).any(left))
}

/// Reads `RateLimit`, whose syntax has changed between the drafts: `"min";r=0;t=12` and
/// `limit=100, remaining=0, reset=9`. Of several quotas, those that are used up count.
fn draft_reset(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let mut used_up: Option<Duration> = None;
    let mut others: Option<Duration> = None;
    for text in texts(headers, "ratelimit") {
        for item in split_outside_quotes(&text, ',') {
            let mut left = None;
            let mut reset = None;
            for parameter in split_outside_quotes(item, ';') {
                let Some((name, value)) = parameter.split_once('=') else { continue };
                match name.trim().to_ascii_lowercase().as_str() {
                    "t" | "reset" => reset = longest(value, Unit::Seconds, now),
                    "r" => left = value.trim().parse::<f64>().ok(),
                    _ => {}
                }
            }
            let Some(reset) = reset else { continue };
            if left.is_some_and(|left| left > 0.0) {
                others = Some(others.map_or(reset, |other| other.min(reset)));
            } else {
                used_up = used_up.max(Some(reset));
            }
        }
    }
    used_up.or(others).or_else(|| headers.contains_key("ratelimit").then_some(UNREADABLE_WAIT))
}

#[cfg(test)]
mod tests;
