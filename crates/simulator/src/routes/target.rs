//! Paths and queries: split first, then percent-decoded, so that ids may hold `/`, `&` and `=`.

use std::borrow::Cow;

/// Segments and parameters beyond this make a request invalid.
const PARTS_MAX: usize = 64;

/// The decoded segments of a path; `None` when they are malformed or no UTF-8.
pub(super) fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut found = Vec::with_capacity(6);
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        if found.len() == PARTS_MAX {
            return None;
        }
        found.push(decode(segment, false)?);
    }
    Some(found)
}

/// A decoded query.
#[derive(Debug, Default)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut found = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            if found.len() == PARTS_MAX {
                return None;
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            found.push((decode(name, true)?, decode(value, true)?));
        }
        Some(Self(found))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A whole number; `default` when it is absent, an error that names it when it is something else.
    pub(super) fn number(&self, name: &str, default: usize) -> Result<usize, String> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("{name} is not a whole number: {text:?}")),
        }
    }
}

fn decode(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    let plain = !(text.contains('%') || plus_is_space && text.contains('+'));
    if plain {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(super) fn encode(text: &str) -> String {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)])));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn segments_are_split_before_they_are_decoded() {
        assert_eq!(segments("/markets/a%2Fb/x%20%20+").unwrap(), ["markets", "a/b", "x  +"]);
        for malformed in ["/%", "/%2", "/%zz", "/%ff"] {
            assert!(segments(malformed).is_none(), "{malformed}");
        }
    }

    #[test]
    fn any_id_survives_encoding() {
        for id in ["a/b", "Standard_NM16ads_MA35D  ", "größe:L", "<script>", "%2F", "日本", "a+b&c=d", ".."]
        {
            assert_eq!(segments(&format!("/{}", encode(id))).unwrap(), [id]);
            assert_eq!(Query::parse(&format!("q={}", encode(id))).unwrap().get("q"), Some(id));
        }
    }

    #[test]
    fn wrong_numbers_are_named() {
        let query = Query::parse("size=-1&page=2").unwrap();
        assert_eq!(query.number("page", 1), Ok(2));
        assert_eq!(query.number("offset", 0), Ok(0));
        assert!(query.number("size", 1).unwrap_err().starts_with("size "));
    }
}
