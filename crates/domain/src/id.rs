//! Validated identifiers of markets, products and runs.

use std::fmt;
use std::sync::Arc;

/// The longest market or product id, in bytes of UTF-8.
pub const ID_BYTES_MAX: usize = 512;

/// Why a text is not an id. The message says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text has no characters.
    #[error("an id must not be empty")]
    Empty,
    /// The text is longer than [`ID_BYTES_MAX`].
    #[error("the id has {bytes} bytes, at most {ID_BYTES_MAX} are allowed: {start:?}...")]
    TooLong {
        /// Length found, in bytes.
        bytes: usize,
        /// The first characters, to find it by.
        start: String,
    },
    /// The text holds a control character such as a newline or a NUL.
    #[error("the id {id:?} has a control character at byte {at}, which no id may contain")]
    ControlCharacter {
        /// The whole id.
        id: String,
        /// Byte offset of the first control character.
        at: usize,
    },
}

fn validate(text: &str) -> Result<Arc<str>, InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(InvalidId::TooLong { bytes: text.len(), start: text.chars().take(40).collect() });
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, _)) => Err(InvalidId::ControlCharacter { id: text.to_owned(), at }),
        None => Ok(Arc::from(text)),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Any text of 1 to [`ID_BYTES_MAX`] bytes without control characters; spaces, also at the
        /// end, and letter case are significant. Cloning is cheap: the text is shared.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and keeps `text` exactly as it is.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                validate(text.as_ref()).map(Self)
            }

            /// The text, exactly as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:?}", &*self.0)
            }
        }
    };
}

text_id!(
    /// The id of a market: a country, region or channel with prices of its own.
    MarketId
);
text_id!(
    /// The id of a product within the shop.
    ProductId
);

/// The id of a run: unique within a store and larger than that of every earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u64);

impl RunId {
    /// The id with this number, as read back from a store.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, for a store to keep.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The id of a run that starts at `now` after `previous`: the time in milliseconds, or one more
    /// than the previous id where a clock was set back, so that ids never repeat.
    #[must_use]
    pub fn next(previous: Option<Self>, now: crate::Timestamp) -> Self {
        let by_clock = u64::try_from(now.as_millis()).unwrap_or(0);
        Self(previous.map_or(by_clock, |previous| by_clock.max(previous.0.saturating_add(1))))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "run-{}", self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn ids_keep_every_character() {
        for text in ["US", "Standard_NM16ads_MA35D  ", "a/b:c", "größe 東京", "../x", "__proto__", "<script>"]
        {
            assert_eq!(ProductId::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn empty_long_and_control_characters_are_refused_with_the_reason() {
        assert_eq!(MarketId::new(""), Err(InvalidId::Empty));
        assert!(MarketId::new("x".repeat(ID_BYTES_MAX)).is_ok());
        let message = MarketId::new("x".repeat(ID_BYTES_MAX + 1)).unwrap_err().to_string();
        assert!(message.contains("513 bytes"), "{message}");
        let message = MarketId::new("a\nb").unwrap_err().to_string();
        assert!(message.contains("\"a\\nb\"") && message.contains("byte 1"), "{message}");
    }

    #[test]
    fn run_ids_grow_even_when_the_clock_does_not() {
        let first = RunId::next(None, Timestamp::from_millis(1_000));
        let second = RunId::next(Some(first), Timestamp::from_millis(10));
        assert_eq!((first.number(), second.number()), (1_000, 1_001));
    }
}
