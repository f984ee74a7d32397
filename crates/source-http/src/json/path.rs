//! A JSONPath (RFC 9535), compiled once; the usual ones, which name one place, without its engine.

use serde_json::Value;
use serde_json_path::PathElement;

use super::Document;
use super::raw::{Step, text_at};

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found<'v> {
    /// Nothing.
    Nothing,
    /// One value.
    One(&'v Value),
    /// A number of values.
    Several(usize),
}

/// A compiled path.
#[derive(Debug)]
pub(crate) struct JsonPath {
    /// As it was configured.
    pub(crate) text: String,
    /// The steps to the one place that the path names, where it is of that kind.
    steps: Option<Vec<Step>>,
    path: serde_json_path::JsonPath,
}

impl JsonPath {
    /// Compiles a path.
    ///
    /// # Errors
    /// It is not a JSONPath.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let path = serde_json_path::JsonPath::parse(text)
            .map_err(|error| format!("{text:?} is not a JSONPath such as \"$.price.amount\": {error}"))?;
        Ok(Self { text: text.to_owned(), steps: steps(text), path })
    }

    /// Whether the path names one place, rather than searching for any number of values.
    pub(crate) const fn names_one_place(&self) -> bool {
        self.steps.is_some()
    }

    /// The steps to the one place that the path names, where it is of that kind.
    pub(crate) fn steps(&self) -> Option<&[Step]> {
        self.steps.as_deref()
    }

    /// The steps of what follows `$` in such a path.
    pub(crate) fn steps_after(rest: &str) -> Option<Vec<Step>> {
        steps(&format!("${rest}"))
    }

    /// Whether the path may lead into the array that these steps lead to, or to itself.
    pub(crate) fn may_touch(&self, array: &[Step]) -> bool {
        match &self.steps {
            Some(steps) => match steps.strip_prefix(array) {
                Some(rest) => !matches!(rest.first(), Some(Step::Member(_))),
                None => false,
            },
            None => true,
        }
    }

    /// What the path leads to.
    pub(crate) fn find<'v>(&self, value: &'v Value) -> Found<'v> {
        if let Some(steps) = &self.steps {
            let place = steps.iter().try_fold(value, |value, step| match step {
                Step::Member(name) => value.as_object().and_then(|members| members.get(name)),
                Step::Element(at) => value.as_array().and_then(|elements| elements.get(*at)),
            });
            return place.map_or(Found::Nothing, Found::One);
        }
        let nodes = self.path.query(value);
        match nodes.len() {
            0 => Found::Nothing,
            1 => nodes.first().map_or(Found::Nothing, Found::One),
            several => Found::Several(several),
        }
    }

    /// All values that the path leads to.
    pub(crate) fn find_all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        self.path.query(value).all()
    }

    /// The text of the one value that the path leads to, as it stands in the document.
    pub(crate) fn text_in<'a>(&self, document: &'a Document<'_>) -> Option<&'a str> {
        if let Some(steps) = &self.steps {
            return text_at(&document.text, steps);
        }
        let node = self.path.query_located(&document.value).exactly_one().ok()?;
        let steps: Vec<Step> = node
            .location()
            .iter()
            .map(|element| match element {
                PathElement::Name(name) => Step::Member((*name).to_owned()),
                PathElement::Index(at) => Step::Element(*at),
            })
            .collect();
        text_at(&document.text, &steps)
    }
}

/// The steps of a path that consists of plain names and positions only, such as `$.a['b'][0]`.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() || !name.chars().all(is_plain) {
                return None;
            }
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = ['\'', '"']
                .into_iter()
                .find_map(|quote| inside.strip_prefix(quote).and_then(|inside| inside.strip_suffix(quote)));
            steps.push(match quoted {
                Some(name)
                    if name
                        .chars()
                        .all(|letter| is_plain(letter) || matches!(letter, ' ' | '.' | '/' | ':')) =>
                {
                    Step::Member(name.to_owned())
                }
                Some(_) => return None,
                None if inside.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Step::Element(inside.parse().ok()?)
                }
                None => return None,
            });
            rest = after;
        }
    }
    Some(steps)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::{prop, prop_assert_eq, proptest};

    const TEXT: &str = r#"{"prices": [{"tier": 1, "amount": 0.0240}, {"tier": 2, "amount": 123456789012345678.12}],
        "a.b": {"größe": "x"}}"#;

    #[test]
    fn usual_paths_take_the_short_way_and_find_the_same() {
        let document = Document::parse(TEXT.as_bytes(), 64).unwrap();
        for text in [
            "$",
            "$.prices",
            "$.prices[1].amount",
            "$['prices'][0]",
            "$[\"a.b\"].größe",
            "$.prices[9]",
            "$.prices.amount",
            "$.none",
            "$.prices[0].tier.x",
        ] {
            let path = JsonPath::new(text).unwrap();
            assert!(path.names_one_place(), "{text}");
            let expected = path.path.query(&document.value).first().map_or(Found::Nothing, Found::One);
            assert_eq!(path.find(&document.value), expected, "{text}");
        }
        for text in [
            "$.prices[*]",
            "$..amount",
            "$.prices[-1]",
            "$.prices[0:1]",
            "$.prices[?@.tier == 1]",
            "$['a','b']",
        ] {
            assert!(!JsonPath::new(text).unwrap().names_one_place(), "{text}");
        }
        for text in ["", "prices", "$.", "$.a b", "$[", "$[01]"] {
            assert!(JsonPath::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_filter_finds_the_digits_too() {
        let document = Document::parse(TEXT.as_bytes(), 64).unwrap();
        for (text, digits) in [
            ("$.prices[?@.tier == 1].amount", Some("0.0240")),
            ("$.prices[-1].amount", Some("123456789012345678.12")),
            ("$.prices[1].amount", Some("123456789012345678.12")),
            ("$..amount", None),
        ] {
            assert_eq!(JsonPath::new(text).unwrap().text_in(&document), digits, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_decimal_keeps_its_text(whole in "0|[1-9][0-9]{0,25}", fraction in "(\\.[0-9]{1,20})?",
            exponent in "([eE][+-]?[0-9]{1,2})?", before in 0_usize..4, name in prop::sample::select(vec!["a", "z", "ä"])) {
            let number = format!("{whole}{fraction}{exponent}");
            let text = format!(r#"{{"m":[{}{{"{name}": {number} }}, 1.5], "x": "{number}"}}"#, "0.10,".repeat(before));
            let document = Document::parse(text.as_bytes(), 64).unwrap();
            for path in [format!("$.m[{before}].{name}"), format!("$.m[?@['{name}'] >= 0]['{name}']")] {
                let path = JsonPath::new(&path).unwrap();
                prop_assert_eq!(path.text_in(&document), Some(number.as_str()));
            }
        }
    }
}
