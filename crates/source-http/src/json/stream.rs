//! A long list, read item by item: what it costs does not grow with the fields of its items.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::document::{json_of, reason_of};
use super::raw::Step;
use super::surrogates::mended;

/// What stands where the items should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An array; each of its items was given out.
    Array,
    /// Null.
    Null,
    /// Something else, or nothing.
    Other,
}

/// Reads a text: gives each item of the array that the steps lead to to `each`, as its text, and returns
/// the rest as a tree in which that array is empty.
///
/// Fields outside of the array that cannot be read are null in the tree; nothing else is lost.
///
/// # Errors
/// What was found instead of JSON, as a fragment. Items may have been given out before.
pub(crate) fn scan(
    text: &str,
    steps: &[Step],
    depth_max: usize,
    each: &mut dyn FnMut(&str),
) -> Result<(Value, Place), String> {
    let mut place = Place::Other;
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Rest { steps, depth: depth_max, place: &mut place, each };
    let rest = seed.deserialize(&mut reader).map_err(|error| reason_of(&error))?;
    reader.end().map_err(|error| {
        format!("something follows the JSON at column {} of line {}", error.column(), error.line())
    })?;
    Ok((rest, place))
}

/// Reads everything but the items.
struct Rest<'s> {
    steps: &'s [Step],
    depth: usize,
    place: &'s mut Place,
    each: &'s mut dyn FnMut(&str),
}

impl<'de> DeserializeSeed<'de> for Rest<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rest<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        if self.steps.is_empty() {
            *self.place = Place::Null;
        }
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

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        match self.steps.split_first() {
            None => {
                *self.place = Place::Array;
                while let Some(item) = items.next_element::<&RawValue>()? {
                    (self.each)(item.get());
                }
                Ok(Value::Array(Vec::new()))
            }
            Some((Step::Element(wanted), steps)) => {
                let mut values = Vec::new();
                while values.len() < *wanted {
                    let Some(item) = items.next_element::<&RawValue>()? else {
                        return Ok(Value::Array(values));
                    };
                    values.push(lenient(item.get(), self.depth));
                }
                let seed = Rest { steps, depth: self.depth, place: self.place, each: self.each };
                values.extend(items.next_element_seed(seed)?);
                while let Some(item) = items.next_element::<&RawValue>()? {
                    values.push(lenient(item.get(), self.depth));
                }
                Ok(Value::Array(values))
            }
            Some((Step::Member(_), _)) => {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::Array(Vec::new()))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (wanted, steps) = match self.steps.split_first() {
            Some((Step::Member(wanted), steps)) => (Some(wanted), steps),
            _ => (None, self.steps),
        };
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = if wanted == Some(&key) {
                if members.contains_key(&key) {
                    let message = format_args!("the key {key:?} appears twice in the same object");
                    return Err(serde::de::Error::custom(message));
                }
                let seed = Rest { steps, depth: self.depth, place: &mut *self.place, each: &mut *self.each };
                entries.next_value_seed(seed)?
            } else {
                lenient(entries.next_value::<&RawValue>()?.get(), self.depth)
            };
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

/// Reads a value that perhaps nobody asks for.
pub(crate) fn lenient(text: &str, depth_max: usize) -> Value {
    let read = json_of(text, depth_max).ok();
    read.or_else(|| json_of(&mended(text)?, depth_max).ok()).unwrap_or_default()
}

/// Writes control characters within texts as JSON wants them; none where there are none.
pub(crate) fn controls_escaped(text: &str) -> Option<String> {
    let (mut is_text, mut is_escaped) = (false, false);
    let mut escaped = String::new();
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => is_text = !is_text,
            0..0x20 if is_text => {
                escaped.push_str(text.get(copied..at)?);
                escaped.push_str(&format!("\\u{byte:04x}"));
                copied = at + 1;
            }
            _ => {}
        }
        is_escaped = is_text && byte == b'\\' && !is_escaped;
    }
    escaped.push_str(text.get(copied..)?);
    (copied > 0).then_some(escaped)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::json::{Document, JsonPath};
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    fn items(body: &str, path: &str) -> (Vec<String>, Value, Place) {
        let path = JsonPath::new(path).unwrap();
        let mut items = Vec::new();
        let mut each = |item: &str| items.push(item.to_owned());
        let (rest, place) = scan(body, path.steps().unwrap(), 64, &mut each).unwrap();
        (items, rest, place)
    }

    #[test]
    fn items_are_given_out_and_the_rest_is_a_tree() {
        let body = r#"{"total": 3, "data": {"x": [0, {"items": ["a", {"b": 1.50}, null]}], "next": "n"}}"#;
        let (found, rest, place) = items(body, "$.data.x[1].items");
        assert_eq!(found, [r#""a""#, r#"{"b": 1.50}"#, "null"]);
        assert_eq!(place, Place::Array);
        assert_eq!(rest, serde_json::json!({"total": 3, "data": {"x": [0, {"items": []}], "next": "n"}}));
        assert_eq!(items("[1, 2]", "$").0, ["1", "2"]);
        for (body, place) in [("null", Place::Null), ("{}", Place::Other), ("7", Place::Other)] {
            assert_eq!(items(body, "$").2, place, "{body}");
        }
        for (body, place) in [
            (r#"{"items": null}"#, Place::Null),
            (r#"{"items": {"a": [1]}}"#, Place::Other),
            (r#"{"item": [1]}"#, Place::Other),
            (r#"[{"items": [1]}]"#, Place::Other),
        ] {
            assert_eq!(items(body, "$.items"), (vec![], items(body, "$.items").1, place), "{body}");
        }
    }

    #[test]
    fn odd_fields_that_nobody_reads_do_not_matter() {
        let body = r#"{"items": [{"id": "a", "x": "\ud83d", "x": 1e999, "x": 2}], "odd": "\ud83d", "far": 1e999, "n": 7}"#;
        let (found, rest, _) = items(body, "$.items");
        assert_eq!(found.len(), 1);
        assert_eq!(rest.get("n"), Some(&Value::from(7)));
        assert_eq!(rest.get("far"), Some(&Value::Null));
    }

    #[test]
    fn what_is_no_json_says_so() {
        for (body, part) in [
            (r#"{"items": [1, 2"#, "not JSON"),
            (r#"{"items": [1]} x"#, "something follows"),
            (r#"{"items": [1], "items": [2]}"#, "appears twice"),
            ("", "not JSON"),
        ] {
            let path = JsonPath::new("$.items").unwrap();
            let message = scan(body, path.steps().unwrap(), 64, &mut |_| ()).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_a_tree_finds(ids in prop::collection::vec("\\PC{0,8}", 0..12), total in any::<u32>()) {
            let body = serde_json::json!({"total": total, "page": {"items": ids, "next": null}}).to_string();
            let (found, rest, _) = items(&body, "$.page.items");
            let found: Vec<String> = found.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(found, ids);
            let mut expected = Document::parse(body.as_bytes(), 64).unwrap().value;
            expected["page"]["items"] = Value::Array(Vec::new());
            prop_assert_eq!(rest, expected);
        }

        #[test]
        fn no_text_makes_it_panic(body in "([{}\\[\\]\",:x0-9\\\\]|\\PC){0,60}") {
            let path = JsonPath::new("$.items").unwrap();
            let _ = controls_escaped(&body);
            let _ = scan(&body, path.steps().unwrap(), 64, &mut |_| ());
        }
    }
}
