//! A length of time as people write it in a configuration file: `"250ms"`, `"3s"`, `"1h30m"`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The units, largest first, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A length of time, written as whole numbers with units: `d`, `h`, `m`, `s`, `ms`.
///
/// ```
/// use price_cache_source_http::Span;
/// use std::time::Duration;
///
/// assert_eq!("1m30s".parse::<Span>()?.duration(), Duration::from_secs(90));
/// assert_eq!(Span::from(Duration::from_millis(2_500)).to_string(), "2s500ms");
/// assert!("3".parse::<Span>().is_err());
/// # Ok::<(), price_cache_source_http::InvalidSpan>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

/// A text that is not a [`Span`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{start:?} is not a length of time; write whole numbers with units, such as \"10s\", \"250ms\" or \"1h30m\""
)]
pub struct InvalidSpan {
    start: String,
}

impl Span {
    /// The same time as the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// A number of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A number of milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSpan { start: text.chars().take(40).collect() };
        let mut rest = text;
        let mut milliseconds: u64 = 0;
        // Units must become smaller from left to right, so that none is given twice.
        let mut units = UNITS.as_slice();
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, after) = after.split_at(letters);
            let at = units.iter().position(|(name, _)| *name == unit).ok_or_else(invalid)?;
            let number: u64 = number.parse().map_err(|_| invalid())?;
            milliseconds = number
                .checked_mul(units[at].1)
                .and_then(|part| milliseconds.checked_add(part))
                .ok_or_else(invalid)?;
            units = &units[at + 1..];
            rest = after;
        }
        if text.is_empty() {
            return Err(invalid());
        }
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

impl fmt::Display for Span {
    /// Writes what [`FromStr`] reads; parts of a millisecond are left out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return formatter.write_str("0s");
        }
        for (unit, length) in UNITS {
            if rest >= length {
                write!(formatter, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a length of time with its unit in quotes, such as \"10s\" or \"250ms\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time: whole numbers with units d, h, m, s, ms, such as \"1h30m\" or \"250ms\".",
            "pattern": "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn people_may_write_any_unit_in_falling_order() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("3s", 3_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("1h30m", 5_400_000),
            ("1m5s20ms", 65_020),
            ("0s", 0),
        ] {
            assert_eq!(text.parse(), Ok(Span::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_an_example() {
        for text in
            ["", "3", "s", "-3s", "1.5s", "3 s", "3S", "3min", "1s1m", "1s1s", "99999999999999999999s"]
        {
            let message = text.parse::<Span>().unwrap_err().to_string();
            assert!(message.contains("\"10s\""), "{message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(milliseconds in 0_u64..10_000_000_000) {
            let span = Span::from_millis(milliseconds);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
