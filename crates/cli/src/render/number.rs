//! Numbers for people: counts, percentages, durations and ages.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A count with its thousands apart: `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 product`, `1,234 products`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A percentage with one digit, rounded down so that 100.0 % is never said too early.
#[must_use]
pub fn percent(rate: f64) -> String {
    // The small addend keeps 42.3, which is stored as 42.299999999999997, from becoming 42.2.
    format!("{:.1} %", (rate.clamp(0.0, 100.0) * 10.0 + 1e-9).floor() / 10.0)
}

/// How often something happens: `0.05/s`, `4.26/s`, `12.5/s`, `310/s`.
#[must_use]
pub fn rate(per_second: f64) -> String {
    let digits = if per_second < 10.0 { 2 } else { usize::from(per_second < 100.0) };
    format!("{per_second:.digits$}/s")
}

/// A duration in seconds, in the two units that matter: `<1 s`, `42 s`, `12 min`, `3 h 05 min`, `2 d 4 h`.
///
/// Rounded up to the unit shown, because it mostly says how long to wait. Not a number: `?`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".to_owned();
    }
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    if seconds < 1.0 {
        return "<1 s".to_owned();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite and not negative; saturates"
    )]
    let seconds = seconds.ceil() as u64;
    if seconds < 2 * MINUTE {
        return format!("{seconds} s");
    }
    let minutes = seconds.div_ceil(MINUTE);
    if minutes < 60 {
        return format!("{minutes} min");
    }
    if minutes < 48 * 60 {
        return format!("{} h {:02} min", minutes / 60, minutes % 60);
    }
    let hours = seconds.div_ceil(HOUR);
    format!("{} d {} h", hours / 24, hours % 24)
}

/// An age in whole seconds, in the largest unit that fits, rounded down: `42 s`, `12 min`, `3 h`, `2 d`.
#[must_use]
pub fn age(seconds: u64) -> String {
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        DAY.. => format!("{} d", seconds / DAY),
    }
}

/// How long a request took, from milliseconds: `0.4 ms`, `12 ms`, `1.3 s`.
#[must_use]
pub fn milliseconds(milliseconds: f64) -> String {
    if !milliseconds.is_finite() || milliseconds < 0.0 {
        "?".to_owned()
    } else if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 1000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.1} s", milliseconds / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{age, count, counted, duration, milliseconds, percent};

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(2000, "call"), "2,000 calls");
    }

    #[test]
    fn nothing_is_complete_too_early() {
        for (rate, text) in
            [(0.0, "0.0 %"), (42.3, "42.3 %"), (99.99, "99.9 %"), (100.0, "100.0 %"), (-1.0, "0.0 %")]
        {
            assert_eq!(percent(rate), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.2, "<1 s"),
            (1.2, "2 s"),
            (119.0, "119 s"),
            (120.5, "3 min"),
            (3540.0, "59 min"),
            (3541.0, "1 h 00 min"),
            (11_100.0, "3 h 05 min"),
            (187_200.0, "2 d 4 h"),
            (f64::NAN, "?"),
            (f64::INFINITY, "?"),
            (-1.0, "?"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn ages_are_rounded_down() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (119, "1 min"), (86_399, "23 h"), (172_800, "2 d")]
        {
            assert_eq!(age(seconds), text);
        }
    }

    #[test]
    fn request_times() {
        for (time, text) in [(0.44, "0.4 ms"), (12.4, "12 ms"), (1260.0, "1.3 s"), (f64::NAN, "?")] {
            assert_eq!(milliseconds(time), text);
        }
    }
}
