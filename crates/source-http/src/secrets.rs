//! What came from the environment, and what headers say: put into requests, kept out of every text that leaves the crate.

mod needle;
mod spelling;

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use needle::Needle;

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "***";

/// What stands in the place of a text that repeats a part of a secret.
const WITHHELD: &str = "(not shown: it repeats a part of a key)";

/// Shorter values are masked where they were put, but not wherever the same letters appear by chance.
const SEARCHED_BYTES_MIN: usize = 4;

/// The same for the values of headers whose names do not promise a secret.
const HEADER_BYTES_MIN: usize = 6;

/// The same for pieces of Base64 that some text around the secret leaves of it.
const BASE64_BYTES_MIN: usize = 8;

/// Headers whose values are no secrets.
const PLAIN_HEADERS: [&str; 12] = [
    "accept",
    "accept-charset",
    "accept-language",
    "cache-control",
    "content-language",
    "content-type",
    "origin",
    "pragma",
    "prefer",
    "referer",
    "user-agent",
    "x-requested-with",
];

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Looks up a variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How a value is written where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// As it is.
    Header,
    /// Percent-encoded.
    Url,
    /// With the escapes of a JSON text.
    Body,
}

/// A text with its variables replaced.
pub(crate) struct Filled {
    /// What is sent.
    pub(crate) real: String,
    /// What is shown.
    pub(crate) shown: String,
}

impl Filled {
    /// Whether something came from the environment.
    pub(crate) fn has_secret(&self) -> bool {
        self.real != self.shown
    }
}

/// The secrets, found in every way in which an answer may write them.
#[derive(Default)]
pub(crate) struct Secrets {
    /// As they are, longest first, so that one that contains another is masked whole.
    values: Vec<SecretString>,
    needles: Vec<Needle>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secrets({})", self.values.len())
    }
}

impl Secrets {
    /// Replaces each `${NAME}` by the variable.
    ///
    /// # Errors
    /// A variable is not set, or `${` is not followed by a name and `}`.
    pub(crate) fn fill(
        &mut self,
        text: &str,
        place: Place,
        environment: Environment<'_>,
    ) -> Result<Filled, String> {
        let mut filled = Filled { real: String::new(), shown: String::new() };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .filter(|(name, _)| is_variable_name(name))
                .ok_or("`${` must be followed by the name of an environment variable and `}`")?;
            let value = environment(name).filter(|value| !value.is_empty()).ok_or_else(|| {
                format!("the environment variable {name} is not set; set it or take ${{{name}}} out")
            })?;
            filled.real.push_str(before);
            filled.real.push_str(&self.written(&value, place));
            filled.shown.push_str(before);
            filled.shown.push_str(MASK);
            rest = after;
        }
        filled.real.push_str(rest);
        filled.shown.push_str(rest);
        Ok(filled)
    }

    /// Keeps the value of a header, wherever it came from; `is_telling` is whether its name promises a secret.
    pub(crate) fn add_header(&mut self, name: &str, value: &str, is_telling: bool) {
        let length_min = if is_telling { SEARCHED_BYTES_MIN } else { HEADER_BYTES_MIN };
        if PLAIN_HEADERS.contains(&name) || value.len() < length_min {
            return;
        }
        let Some((scheme, credential)) = value.split_once(' ').filter(|_| is_telling) else {
            self.add(value, is_telling);
            return;
        };
        let credential = credential.trim();
        if credential.len() < SEARCHED_BYTES_MIN {
            return;
        }
        self.add(credential, true);
        if scheme.eq_ignore_ascii_case("basic")
            && let Some(decoded) =
                STANDARD.decode(credential).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        {
            self.add(&decoded, true);
            if let Some((_, password)) = decoded.split_once(':')
                && password.len() >= SEARCHED_BYTES_MIN
            {
                self.add(password, true);
            }
        }
        for (_, value) in credential.split([';', ',']).filter_map(|pair| pair.split_once('=')) {
            let value = value.trim().trim_matches('"');
            if value.len() >= HEADER_BYTES_MIN {
                self.add(value, true);
            }
        }
    }

    /// Keeps a value; `has_parts` is whether half of it gives too much away.
    fn add(&mut self, value: &str, has_parts: bool) {
        if self.values.iter().any(|known| known.expose_secret() == value) {
            return;
        }
        self.values.push(SecretString::from(value));
        self.values.sort_by_key(|value| std::cmp::Reverse(value.expose_secret().len()));
        self.needles.push(if has_parts { Needle::with_parts(value) } else { Needle::whole(value) });
        for form in base64_forms(value.as_bytes()) {
            for form in [form.replace('+', "-").replace('/', "_"), form] {
                if !self.needles.iter().any(|known| known.is(&form)) {
                    self.needles.push(Needle::whole(&form));
                }
            }
        }
    }

    /// The value as it is written in the place; keeps it.
    fn written(&mut self, value: &str, place: Place) -> String {
        if value.len() >= SEARCHED_BYTES_MIN {
            self.add(value, true);
        }
        match place {
            Place::Header => value.to_owned(),
            Place::Url => percent_encoded(value),
            Place::Body => {
                let escaped = json_escaped(value);
                // Braces of a secret must not be taken for those of the template around it.
                if escaped.contains('{') { format!("{{% raw %}}{escaped}{{% endraw %}}") } else { escaped }
            }
        }
    }

    /// The text with every secret in it replaced by [`MASK`].
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = String::new();
        let (mut copied, mut at) = (0, 0);
        while at < text.len() {
            let end = self.needles.iter().filter_map(|needle| needle.end_at(text, at)).max();
            if let Some(end) = end.filter(|end| *end > at) {
                masked.push_str(text.get(copied..at).unwrap_or_default());
                masked.push_str(MASK);
                (copied, at) = (end, end);
            } else {
                at = text.ceil_char_boundary(at + 1);
            }
        }
        if masked.is_empty() {
            return Cow::Borrowed(text);
        }
        masked.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// A text of the API as a person may see it: with its secrets masked, or not at all where it repeats a part of
    /// one. Where the text was cut, what may be the beginning of a secret is left out at its end.
    pub(crate) fn shown(&self, text: &str, was_cut: bool) -> String {
        let mut masked = self.mask(text).into_owned();
        if was_cut {
            let is_cut = |at: &usize| self.needles.iter().any(|needle| needle.is_cut_at(&masked, *at));
            let cut = masked.char_indices().map(|(at, _)| at).find(is_cut);
            masked.truncate(cut.unwrap_or(masked.len()));
        }
        match self.needles.iter().any(|needle| needle.part_in(&masked).is_some()) {
            true => WITHHELD.to_owned(),
            false => masked,
        }
    }

    /// The text with every secret in it replaced by a mark that [`unseal`](Self::unseal) undoes: what a
    /// source hands out to be kept by others must not hold secrets.
    pub(crate) fn seal(&self, text: &str) -> String {
        let mut sealed = text.to_owned();
        for (at, value) in self.values.iter().enumerate() {
            for (form, written) in forms(value.expose_secret()).iter().enumerate() {
                sealed = sealed.replace(written, &mark(at, form));
            }
        }
        // In any other spelling it stands in a URL, where it means the same percent-encoded.
        for (at, value) in self.values.iter().enumerate() {
            let needle = Needle::whole(value.expose_secret());
            let mut from = 0;
            while from < sealed.len() {
                match needle.end_at(&sealed, from).filter(|end| *end > from) {
                    Some(end) => sealed.replace_range(from..end, &mark(at, ENCODED)),
                    None => from = sealed.ceil_char_boundary(from + 1),
                }
            }
        }
        sealed
    }

    /// Undoes [`seal`](Self::seal).
    pub(crate) fn unseal(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (at, value) in self.values.iter().enumerate() {
            for (form, written) in forms(value.expose_secret()).iter().enumerate() {
                text = text.replace(&mark(at, form), written);
            }
        }
        text
    }
}

/// The position of the percent-encoded one among the [`forms`].
const ENCODED: usize = 2;

/// The ways in which this crate itself writes a secret.
fn forms(value: &str) -> [String; 3] {
    [value.to_owned(), json_escaped(value), percent_encoded(value)]
}

fn json_escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(&quoted).to_owned()
}

/// What Base64 makes of a secret that is encoded alone or within something else, at each of the three
/// alignments: the characters that are the same whatever stands around it.
fn base64_forms(value: &[u8]) -> Vec<String> {
    let mut forms = vec![STANDARD_NO_PAD.encode(value), STANDARD.encode(value)];
    for (before, first) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(value);
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let whole = bytes.len() * 8 / 6;
        if let Some(core) = encoded.get(first..whole).filter(|core| core.len() >= BASE64_BYTES_MIN) {
            forms.push(core.to_owned());
        }
    }
    forms
}

/// No URL or cursor contains a control character.
fn mark(at: usize, form: usize) -> String {
    format!("\u{1}{at}.{form}\u{2}")
}

fn is_variable_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// Everything but unreserved characters as `%XX` of their UTF-8.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
