//! The text of one value within a JSON text, so that a number keeps its digits.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One step down from a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the member of an object.
    Member(String),
    /// To the element of an array.
    Element(usize),
}

/// The text of the value that the steps lead to. The text must be valid JSON.
pub(crate) fn text_at<'a>(text: &'a str, steps: &[Step]) -> Option<&'a str> {
    steps.iter().try_fold(text.trim_ascii(), |text, step| {
        let mut reader = serde_json::Deserializer::from_str(text);
        Pick(step).deserialize(&mut reader).ok().flatten().map(RawValue::get)
    })
}

/// Picks the value one step down and passes over everything else.
struct Pick<'s>(&'s Step);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Step::Element(wanted) = self.0 else { return Ok(None) };
        for _ in 0..*wanted {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = items.next_element()?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let Step::Member(wanted) = self.0 else { return Ok(None) };
        let mut found = None;
        while let Some(is_wanted) = members.next_key_seed(KeyIs(wanted))? {
            if is_wanted {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a key is this one, without a copy of it.
struct KeyIs<'s>(&'s str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, steps: &[Step]) -> Option<String> {
        text_at(text, steps).map(str::to_owned)
    }

    #[test]
    fn the_text_of_a_value_is_found() {
        let text = r#" {"a": [1, {"b\n": 4e+06}, "x"], "c": {"d": null}} "#;
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(at(text, &[member("a"), Step::Element(1), member("b\n")]).as_deref(), Some("4e+06"));
        assert_eq!(at(text, &[member("c")]).as_deref(), Some(r#"{"d": null}"#));
        assert_eq!(at(" 1.50 ", &[]).as_deref(), Some("1.50"));
        assert_eq!(at(text, &[member("a"), Step::Element(3)]), None);
        assert_eq!(at(text, &[member("a"), member("x")]), None);
        assert_eq!(at(text, &[member("z")]), None);
    }
}
