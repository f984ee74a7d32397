//! The wait in the value of one header: numbers, units, several of them, times.

use std::time::Duration;

use super::{WAIT_MAX, time};

/// The unit of a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}

/// From here on a number of seconds is no wait but a time since 1970: a day in 2017.
const EPOCH_SECONDS_LEAST: f64 = 1.5e9;

/// From here on a time since 1970 counts in thousandths of a second, or in thousandths of those.
const EPOCH_SECONDS_END: f64 = 1e11;

/// Finds the longest wait in a value such as `3`, `3, 5`, `500ms`, `2 minutes` or a date; none where no part
/// of it can be read. `now` is the time since 1970.
pub(super) fn longest(text: &str, unit: Unit, now: Duration) -> Option<Duration> {
    let parts: Vec<&str> = text.split(',').collect();
    let mut longest: Option<Duration> = None;
    let mut at = 0;
    while let Some(part) = parts.get(at) {
        // A date has a comma of its own, after the day of the week.
        let pair = parts.get(at + 1).map(|next| format!("{part},{next}"));
        let of_pair = pair.and_then(|pair| time::parse(&pair)).map(|then| until(then, now));
        at += if of_pair.is_some() { 2 } else { 1 };
        longest = longest.max(of_pair.or_else(|| one(part, unit, now)));
    }
    longest
}

fn one(text: &str, unit: Unit, now: Duration) -> Option<Duration> {
    let text = text.split([';', '(']).next().unwrap_or(text);
    let text = text.trim().trim_matches(['"', '\'']).trim();
    if let Some(number) = number(text) {
        return Some(plain(number, unit, now));
    }
    with_units(text).or_else(|| clock(text)).or_else(|| time::parse(text).map(|then| until(then, now)))
}

/// Reads digits with or without a fraction; no signs, exponents or infinities.
fn number(text: &str) -> Option<f64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.bytes().any(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn plain(number: f64, unit: Unit, now: Duration) -> Duration {
    let mut number = match unit {
        Unit::Seconds => number,
        Unit::Milliseconds if number < EPOCH_SECONDS_END => return seconds(number / 1000.0),
        Unit::Milliseconds => number / 1000.0,
    };
    if number < EPOCH_SECONDS_LEAST {
        return seconds(number);
    }
    if number.is_infinite() {
        return WAIT_MAX;
    }
    while number >= EPOCH_SECONDS_END {
        number /= 1000.0;
    }
    until(seconds(number), now)
}

/// Counts the time from now on, up to the next whole second.
fn until(then: Duration, now: Duration) -> Duration {
    let wait = then.saturating_sub(now);
    let rounded = if wait.subsec_nanos() > 0 { wait.as_secs().saturating_add(1) } else { wait.as_secs() };
    Duration::from_secs(rounded).min(WAIT_MAX)
}

/// Returns a wait of these seconds, rounded up to milliseconds.
fn seconds(number: f64) -> Duration {
    let rounded = (number * 1000.0).ceil() / 1000.0;
    Duration::try_from_secs_f64(rounded).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

/// Reads `3s`, `500 ms`, `2 minutes`, `1m30s`, `PT1M30S`.
fn with_units(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.strip_prefix("pt").unwrap_or(&lower).trim_start();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (digits, after) = rest.split_at(end);
        let after = after.trim_start();
        let end = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        let factor = match word {
            "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => return None,
        };
        sum = sum.saturating_add(seconds(number(digits)? * factor));
        rest = after.trim_start();
    }
    Some(sum.min(WAIT_MAX))
}

/// Reads `00:01:30`.
fn clock(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, whole] = parts[..] else { return None };
    Some(seconds(number(hours)? * 3_600.0 + number(minutes)? * 60.0 + number(whole)?))
}
