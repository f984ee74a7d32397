//! An answer read as JSON, or the reason why it is none.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::surrogates::mended;

/// How much of a key a message shows, in characters.
const KEY_SHOWN_CHARS: usize = 40;

/// An answer that is strict JSON: UTF-8 without a byte order mark, nothing after the value, no key
/// twice in an object, no deeper than allowed.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// The whole text, for the digits of its numbers.
    pub(crate) text: Cow<'a, str>,
    /// The same as a tree. Its numbers may have lost digits.
    pub(crate) value: Value,
}

impl<'a> Document<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// What was found instead, as a fragment.
    pub(crate) fn parse(body: &'a [u8], depth_max: usize) -> Result<Self, String> {
        let text = text_of_body(body)?;
        match json_of(text, depth_max) {
            Ok(value) => Ok(Self { text: Cow::Borrowed(text), value }),
            // Half of a surrogate pair harms only the field that it is in.
            Err(reason) => match mended(text) {
                Some(text) => json_of(&text, depth_max).map(|value| Self { text: Cow::Owned(text), value }),
                None => Err(reason),
            },
        }
    }
}

/// Checks that a body is UTF-8 and may be JSON.
pub(crate) fn text_of_body(body: &[u8]) -> Result<&str, String> {
    match body {
        [] => return Err("the body is empty".to_owned()),
        [0xEF, 0xBB, 0xBF, ..] => return Err("the body begins with a byte order mark".to_owned()),
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => return Err("the body is UTF-16, not UTF-8".to_owned()),
        _ => {}
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| format!("the body is not UTF-8: bad byte at {}", error.valid_up_to()))?;
    if text.trim_start().is_empty() {
        return Err("the body is empty".to_owned());
    }
    if text.trim_start().starts_with('<') {
        return Err("the body is HTML or XML, not JSON".to_owned());
    }
    Ok(text)
}

/// Reads a text as one value.
pub(super) fn json_of(text: &str, depth_max: usize) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Tree { depth: depth_max }.deserialize(&mut reader).map_err(|error| reason_of(&error))?;
    reader.end().map_err(|error| {
        format!("something follows the JSON at column {} of line {}", error.column(), error.line())
    })?;
    Ok(value)
}

/// Says what an error means.
pub(super) fn reason_of(error: &serde_json::Error) -> String {
    match error.is_data() {
        // These are the messages of our own visitors, which name what they are about.
        true => error.to_string(),
        false => format!("the body is not JSON: {error}"),
    }
}

/// Reads a value of at most this depth.
struct Tree {
    depth: usize,
}

impl Tree {
    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth }),
            None => Err(E::custom("the JSON nests deeper than source.limits.depth allows")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        let inner = self.deeper()?;
        while let Some(value) = items.next_element_seed(Tree { depth: inner.depth })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        let inner = self.deeper()?;
        while let Some(key) = entries.next_key::<String>()? {
            if members.contains_key(&key) {
                let start: String = key.chars().take(KEY_SHOWN_CHARS).collect();
                return Err(de::Error::custom(format_args!(
                    "the key {start:?} appears twice in the same object"
                )));
            }
            let value = entries.next_value_seed(Tree { depth: inner.depth })?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::{BoxedStrategy, Just};

    #[test]
    fn what_is_not_strict_json_is_named() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        for (body, part) in [
            (b"".as_slice(), "empty"),
            (b" \n ", "empty"),
            (b"\xEF\xBB\xBF{}", "byte order mark"),
            (b"\xFF\xFE{\0}\0", "UTF-16"),
            (b"{\"a\": \"\xC3\x28\"}", "bad byte at 7"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"{\"a\": 1, \"a\": 2}", "\"a\" appears twice"),
            (b"{\"x\": {\"a\": 1, \"\\u0061\": 2}}", "\"a\" appears twice"),
            (b"{\"a\": 1} x", "something follows the JSON at column 10"),
            (b"{\"a\": 1", "not JSON"),
            (b"{\"a\": \"\0\"}", "not JSON"),
            (b"NaN", "not JSON"),
            (b"{\"a\": 1e400}", "number out of range"),
            (deep.as_bytes(), "nests deeper"),
        ] {
            let message = Document::parse(body, 64).unwrap_err();
            assert!(message.contains(part), "{message}");
            assert!(message.len() < 150, "{message}");
        }
    }

    #[test]
    fn depth_is_counted_in_arrays_and_objects() {
        assert!(Document::parse(br#"{"a": [1]}"#, 2).is_ok());
        assert!(Document::parse(br#"{"a": [1]}"#, 1).is_err());
        assert!(Document::parse(b"1", 0).is_ok());
    }

    fn values() -> BoxedStrategy<Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
        .boxed()
    }

    proptest! {
        #[test]
        fn whatever_is_json_is_read_as_it_is(value in values()) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(Document::parse(text.as_bytes(), 64).unwrap().value, value);
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Document::parse(&body, 64);
        }
    }
}
