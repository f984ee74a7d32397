//! Times as servers write them: the three forms of HTTP, ISO 8601, and zones that neither allows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The seconds of a day.
const DAY: i64 = 86_400;

/// The last year that a time can name.
const YEAR_MAX: i64 = 9_999;

/// Tells the time since 1970; none before.
pub(super) fn since_epoch(time: SystemTime) -> Option<Duration> {
    time.duration_since(UNIX_EPOCH).ok()
}

/// Reads a time as the time since 1970; none where it is no time, or one before 1970.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim().trim_matches('"');
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    iso(text).or_else(|| http(text))
}

/// Reads `2026-11-23T10:00:30.5+02:00` and `2026-11-23 10:00:30 UTC`, also without a zone.
fn iso(text: &str) -> Option<Duration> {
    let (date, rest) = text.split_at_checked(10)?;
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    if year.len() != 4 {
        return None;
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let end = clock.find(|letter: char| !letter.is_ascii_digit() && !":.".contains(letter));
    let (clock, zone) = clock.split_at(end.unwrap_or(clock.len()));
    moment([digits(year)?, digits(month)?, digits(day)?], clock, zone.trim())
}

/// Reads `Mon, 23 Nov 2026 10:00:30 GMT`, `Monday, 23-Nov-26 10:00:30 GMT` and `Mon Nov 23 10:00:30 2026`.
fn http(text: &str) -> Option<Duration> {
    let is_break = |letter: char| letter == ',' || letter.is_ascii_whitespace();
    let mut words: Vec<&str> = text.split(is_break).filter(|word| !word.is_empty()).collect();
    let is_weekday =
        |word: &&str| word.bytes().all(|letter| letter.is_ascii_alphabetic()) && month(word).is_none();
    if words.first().is_some_and(is_weekday) {
        words.remove(0);
    }
    let first = *words.first()?;
    if month(first).is_some() {
        let (day, clock, year) = (words.get(1)?, words.get(2)?, words.get(3)?);
        // Some put the zone before the year, as the date command does.
        let (zone, year) = match digits(year) {
            Some(_) => (words.get(4), year),
            None => (Some(year), words.get(4)?),
        };
        let date = [whole_year(year)?, month(first)?, digits(day)?];
        return moment(date, clock, zone.copied().unwrap_or_default());
    }
    let dashed: Vec<&str> = first.split('-').collect();
    let (date, rest) = match dashed[..] {
        [day, name, year] => ([whole_year(year)?, month(name)?, digits(day)?], words.get(1..)?),
        _ => {
            let (name, year) = (words.get(1)?, words.get(2)?);
            ([whole_year(year)?, month(name)?, digits(first)?], words.get(3..)?)
        }
    };
    moment(date, rest.first()?, rest.get(1).copied().unwrap_or_default())
}

fn month(word: &str) -> Option<i64> {
    let start = word.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == start)?;
    i64::try_from(at).ok().map(|at| at + 1)
}

/// Reads a year; one of two digits is of this century (RFC 9110 goes by fifty years; a wait is never that long).
fn whole_year(text: &str) -> Option<i64> {
    let year = digits(text)?;
    Some(if text.len() == 2 { 2000 + year } else { year })
}

fn digits(text: &str) -> Option<i64> {
    let is_short = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| text.parse().ok()).flatten()
}

fn moment([year, month, day]: [i64; 3], clock: &str, zone: &str) -> Option<Duration> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<i64> = clock.split(':').map(digits).collect::<Option<_>>()?;
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let is_time = (1970..=YEAR_MAX).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour <= 24
        && minute < 60
        && second <= 60;
    if !is_time {
        return None;
    }
    let seconds = days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second - offset(zone)?;
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(Duration::new(u64::try_from(seconds).ok()?, nanos.parse().ok()?))
}

/// Counts the days since 1970 of a date in the Gregorian calendar (after Howard Hinnant).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Finds the seconds that a zone is ahead of UTC; without a name it is UTC.
fn offset(zone: &str) -> Option<i64> {
    let upper = zone.to_ascii_uppercase();
    let zone = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper);
    let hours = match zone {
        "" | "Z" | "UT" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "WEST" | "BST" | "CET" => 1,
        "CEST" | "EET" => 2,
        "EEST" | "MSK" => 3,
        "JST" => 9,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let number = zone.strip_prefix(['+', '-'])?.replace(':', "");
            let value = digits(&number)?;
            let (hours, minutes) = if number.len() > 2 { (value / 100, value % 100) } else { (value, 0) };
            return (hours <= 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60));
        }
    };
    Some(hours * 3_600)
}
