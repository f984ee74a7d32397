//! The kinds of fault and their text form, which is also that of JSON and of the command line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::FaultError;

/// What can go wrong with one request. The comments give the text form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum FaultKind {
    /// `status:N`, N from 400 to 599: an error answer. `down` is `status:503`, `unauthorized` is `status:401`.
    Status(u16),
    /// `rate-limited`: 429 without `Retry-After`.
    RateLimited,
    /// `rate-limited-seconds:N`: 429 with `Retry-After: N`.
    RateLimitedSeconds(u32),
    /// `rate-limited-date:N`: 429 with `Retry-After` as the HTTP date N seconds from now.
    RateLimitedDate(u32),
    /// `reset`: the connection is reset before the answer.
    Reset,
    /// `reset-mid-body`: the connection is reset after half the body.
    ResetMidBody,
    /// `truncated`: the connection is closed properly before the body is as long as `Content-Length` says.
    Truncated,
    /// `slow:N`: a good answer N milliseconds late.
    Slow(u32),
    /// `drip:N`: a good answer of which some bytes come every N milliseconds.
    Drip(u32),
    /// `hang`: never an answer.
    Hang,
    /// `bad-json`: 200 with half a JSON document.
    BadJson,
    /// `html`: 200 with an HTML page.
    Html,
    /// `empty`: 200 with an empty body.
    Empty,
    /// `wrong-currency`: a code that is no currency.
    WrongCurrency,
    /// `null-price`: the amount is `null`.
    NullPrice,
    /// `negative-price`: the amount is below zero.
    NegativePrice,
    /// `nan-price`: the amount is `NaN`, which is not JSON unless it is asked for as a string.
    NanPrice,
    /// `comma-price`: the amount is the string `4,99`.
    CommaPrice,
    /// `huge-price`: the amount has 100,000 digits.
    HugePrice,
}

impl FaultKind {
    const PLAIN: [(&'static str, Self); 15] = [
        ("rate-limited", Self::RateLimited),
        ("reset", Self::Reset),
        ("reset-mid-body", Self::ResetMidBody),
        ("truncated", Self::Truncated),
        ("hang", Self::Hang),
        ("bad-json", Self::BadJson),
        ("html", Self::Html),
        ("empty", Self::Empty),
        ("wrong-currency", Self::WrongCurrency),
        ("null-price", Self::NullPrice),
        ("negative-price", Self::NegativePrice),
        ("nan-price", Self::NanPrice),
        ("comma-price", Self::CommaPrice),
        ("huge-price", Self::HugePrice),
        ("unauthorized", Self::Status(401)),
    ];

    /// Whether the client gets a correct answer in the end.
    #[must_use]
    pub fn answers_in_the_end(self) -> bool {
        matches!(self, Self::Slow(_) | Self::Drip(_))
    }

    /// Whether only a price can be wrong in this way.
    #[must_use]
    pub fn concerns_the_price(self) -> bool {
        matches!(
            self,
            Self::WrongCurrency
                | Self::NullPrice
                | Self::NegativePrice
                | Self::NanPrice
                | Self::CommaPrice
                | Self::HugePrice
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(out, "status:{code}"),
            Self::RateLimitedSeconds(seconds) => write!(out, "rate-limited-seconds:{seconds}"),
            Self::RateLimitedDate(seconds) => write!(out, "rate-limited-date:{seconds}"),
            Self::Slow(milliseconds) => write!(out, "slow:{milliseconds}"),
            Self::Drip(milliseconds) => write!(out, "drip:{milliseconds}"),
            plain => {
                let name = Self::PLAIN.iter().find(|(_, kind)| kind == plain).map(|(name, _)| *name);
                out.write_str(name.unwrap_or_default())
            }
        }
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let wrong = || FaultError::Kind { text: text.to_owned() };
        if text == "down" {
            return Ok(Self::Status(503));
        }
        let Some((name, number)) = text.split_once(':') else {
            let found = Self::PLAIN.iter().find(|(name, _)| *name == text);
            return found.map(|(_, kind)| *kind).ok_or_else(wrong);
        };
        let number: u32 = number.parse().map_err(|_| wrong())?;
        match name {
            "status" => match u16::try_from(number) {
                Ok(code @ 400..=599) => Ok(Self::Status(code)),
                _ => Err(wrong()),
            },
            "rate-limited-seconds" => Ok(Self::RateLimitedSeconds(number)),
            "rate-limited-date" => Ok(Self::RateLimitedDate(number)),
            "slow" => Ok(Self::Slow(number)),
            "drip" => Ok(Self::Drip(number)),
            _ => Err(wrong()),
        }
    }
}

impl From<FaultKind> for String {
    fn from(kind: FaultKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for FaultKind {
    type Error = FaultError;

    fn try_from(text: String) -> Result<Self, FaultError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_kind_reads_its_own_text() {
        let numbered = [
            FaultKind::Status(400),
            FaultKind::Status(599),
            FaultKind::RateLimitedSeconds(2),
            FaultKind::RateLimitedDate(0),
            FaultKind::Slow(500),
            FaultKind::Drip(20),
        ];
        for kind in numbered.into_iter().chain(FaultKind::PLAIN.map(|(_, kind)| kind)) {
            assert_eq!(kind.to_string().parse::<FaultKind>().unwrap(), kind);
        }
        for wrong in ["status:200", "status:70000", "slow", "slow:-1", "hang:1", "", "Reset"] {
            assert!(wrong.parse::<FaultKind>().is_err(), "{wrong}");
        }
    }
}
