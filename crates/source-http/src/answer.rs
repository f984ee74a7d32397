//! Helpers to read an answer: conditions, texts, currencies, and how much of it a message shows.

use std::collections::HashMap;

use price_cache_domain::{Currency, MarketId};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

use crate::config::{ConditionConfig, CurrencyConfig, Scalar};
use crate::json::{Document, Found, JsonPath};
use crate::problem::Problems;
use crate::secrets::Secrets;

/// How much of a body a message shows, in characters.
pub(crate) const BODY_SHOWN_CHARS: usize = 60;

/// How much of a body is searched for secrets before its start is shown, in bytes.
const BODY_MASKED_BYTES: usize = 4096;

/// The start of a body on one line, without secrets.
pub(crate) fn start_of(body: &[u8], secrets: &Secrets) -> String {
    excerpt(body, secrets, BODY_SHOWN_CHARS)
}

/// The first characters of a body on one line, without secrets: they are masked before anything is cut.
pub(crate) fn excerpt(body: &[u8], secrets: &Secrets, chars_max: usize) -> String {
    let was_cut = body.len() > BODY_MASKED_BYTES;
    let text = String::from_utf8_lossy(body.get(..BODY_MASKED_BYTES).unwrap_or(body));
    // The cut may have gone through a character.
    let text = if was_cut { text.trim_end_matches('\u{FFFD}') } else { &text };
    // What is taken out of the text may have stood within a secret.
    let masked = secrets.mask(text);
    let mut line = masked.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(is_shown);
    let line = secrets.shown(&line, was_cut);
    match line.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Whether a character of an answer is shown: none that controls a terminal, is invisible or turns the text round.
fn is_shown(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Where a condition looks.
enum Subject {
    /// At a value in the body.
    Path(JsonPath),
    /// At a header.
    Header(HeaderName),
}

/// A condition, compiled.
pub(crate) struct Condition {
    subject: Subject,
    equals: Option<Scalar>,
    null: bool,
}

impl Condition {
    pub(crate) fn new(key: &str, config: &ConditionConfig, problems: &mut Problems) -> Option<Self> {
        if config.null && config.equals.is_some() {
            problems.push(key, "write either `equals` or `null = true`, not both");
        }
        let subject = match (&config.path, &config.header) {
            (Some(path), None) => {
                problems.check(&format!("{key}.path"), JsonPath::new(path)).map(Subject::Path)
            }
            (None, Some(name)) => {
                let parsed = HeaderName::from_bytes(name.as_bytes());
                let parsed = parsed.map_err(|_| "this is not the name of a header");
                problems.check(&format!("{key}.header"), parsed).map(Subject::Header)
            }
            _ => {
                problems.push(key, "needs either `path`, a JSONPath into the body, or `header`, a name");
                None
            }
        };
        Some(Self { subject: subject?, equals: config.equals.clone(), null: config.null })
    }

    /// Whether it holds of an answer with this body, where that is JSON, and these headers.
    pub(crate) fn holds(&self, value: Option<&Value>, headers: &HeaderMap) -> bool {
        match (&self.subject, value) {
            (Subject::Path(path), Some(value)) => self.holds_of_value(path.find(value)),
            (Subject::Path(_), None) => false,
            (Subject::Header(name), _) => self.holds_of_header(headers, name),
        }
    }

    /// Whether it holds where something is missing.
    pub(crate) const fn is_absence(&self) -> bool {
        self.null
    }

    fn holds_of_value(&self, found: Found<'_>) -> bool {
        match &self.equals {
            None if self.null => matches!(found, Found::Nothing | Found::One(Value::Null)),
            None => !matches!(found, Found::Nothing | Found::One(Value::Null | Value::Bool(false))),
            Some(scalar) => match (found, scalar) {
                (Found::One(Value::Bool(flag)), Scalar::Flag(wanted)) => flag == wanted,
                (Found::One(Value::Number(number)), Scalar::Integer(wanted)) => {
                    number.as_i64() == Some(*wanted)
                }
                (Found::One(Value::String(text)), Scalar::Text(wanted)) => text == wanted,
                _ => false,
            },
        }
    }

    fn holds_of_header(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        let mut values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        match &self.equals {
            None if self.null => values.next().is_none(),
            None => values.any(|value| !matches!(value.trim(), "" | "false")),
            Some(wanted) => {
                let wanted = match wanted {
                    Scalar::Flag(flag) => flag.to_string(),
                    Scalar::Integer(number) => number.to_string(),
                    Scalar::Text(text) => text.trim().to_owned(),
                };
                values.any(|value| value.trim() == wanted)
            }
        }
    }

    /// The path into the body, where it looks there.
    pub(crate) const fn path(&self) -> Option<&JsonPath> {
        match &self.subject {
            Subject::Path(path) => Some(path),
            Subject::Header(_) => None,
        }
    }

    /// What it looks at, as a message names it.
    pub(crate) fn shown(&self) -> &str {
        match &self.subject {
            Subject::Path(path) => &path.text,
            Subject::Header(name) => name.as_str(),
        }
    }
}

/// A text, or a whole number as a text.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// What a value is, for a message.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Where a currency comes from, compiled.
pub(crate) enum CurrencyPlan {
    Fixed(Currency),
    Path(JsonPath),
    Markets(HashMap<String, Currency>),
}

impl CurrencyPlan {
    pub(crate) fn new(key: &str, config: &CurrencyConfig, problems: &mut Problems) -> Option<Self> {
        match config {
            CurrencyConfig::Text(text) if text.starts_with('$') => {
                problems.check(key, JsonPath::new(text)).map(Self::Path)
            }
            CurrencyConfig::Text(text) => problems.check(key, Currency::parse(text)).map(Self::Fixed),
            CurrencyConfig::Markets(codes) => {
                let mut currencies = HashMap::new();
                for (market, code) in codes {
                    let parsed = problems.check(&format!("{key}.{market}"), Currency::parse(code))?;
                    currencies.insert(market.clone(), parsed);
                }
                Some(Self::Markets(currencies))
            }
        }
    }

    /// Whether it is known before any answer that there is none for the market.
    pub(crate) fn lacks(&self, market: &MarketId) -> bool {
        matches!(self, Self::Markets(codes) if !codes.contains_key(market.as_str()))
    }

    /// The currency for a market's answer, or why there is none.
    pub(crate) fn of(
        &self,
        key: &str,
        market: &MarketId,
        document: &Document<'_>,
    ) -> Result<Currency, String> {
        match self {
            Self::Fixed(currency) => Ok(*currency),
            Self::Markets(codes) => codes
                .get(market.as_str())
                .copied()
                .ok_or_else(|| format!("{key} names no currency for market {market}")),
            Self::Path(path) => match path.find(&document.value) {
                Found::One(Value::String(code)) => {
                    Currency::parse(code).map_err(|error| format!("{key} = {:?}: {error}", path.text))
                }
                Found::One(other) => {
                    Err(format!("{key} = {:?} leads to {}, not to a code", path.text, kind_of(other)))
                }
                Found::Nothing => Err(format!("{key} = {:?} matched nothing", path.text)),
                Found::Several(several) => Err(format!("{key} = {:?} matched {several} values", path.text)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_of_characters_that_are_seen() {
        let body = "\u{feff}a\r\n\tb\0 \u{1b}[31mred\u{202e}\u{200b} größe";
        assert_eq!(excerpt(body.as_bytes(), &Secrets::default(), 60), "a b [31mred größe");
        assert_eq!(excerpt(b"12345", &Secrets::default(), 3), "123...");
    }
}
