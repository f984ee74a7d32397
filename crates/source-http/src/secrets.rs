//! What came from the environment: put into requests, kept out of every text that leaves the crate.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "***";

/// Shorter values are masked where they were put, but not wherever the same letters appear by chance.
const SEARCHED_BYTES_MIN: usize = 4;

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

/// The secrets in every form in which they may appear in a text.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Longest first, so that a secret that contains another is masked whole.
    forms: Vec<SecretString>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secrets({} forms)", self.forms.len())
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

    /// The value as it is written in the place; keeps all its forms.
    fn written(&mut self, value: &str, place: Place) -> String {
        let quoted = serde_json::Value::from(value).to_string();
        let escaped = quoted.trim_matches('"').to_owned();
        let encoded = percent_encoded(value);
        if value.len() >= SEARCHED_BYTES_MIN {
            for form in [value, &escaped, &encoded] {
                if !self.forms.iter().any(|known| known.expose_secret() == form) {
                    self.forms.push(SecretString::from(form));
                }
            }
            self.forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        }
        match place {
            Place::Header => value.to_owned(),
            Place::Url => encoded,
            // Braces of a secret must not be taken for those of the template around it.
            Place::Body if escaped.contains('{') => format!("{{% raw %}}{escaped}{{% endraw %}}"),
            Place::Body => escaped,
        }
    }

    /// The text with every secret in it replaced by [`MASK`].
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.forms.iter().fold(Cow::Borrowed(text), |text, form| match text.contains(form.expose_secret()) {
            true => Cow::Owned(text.replace(form.expose_secret(), MASK)),
            false => text,
        })
    }

    /// The text with every secret in it replaced by a mark that [`unseal`](Self::unseal) undoes: what a
    /// source hands out to be kept by others must not hold secrets.
    pub(crate) fn seal(&self, text: &str) -> String {
        let forms = self.forms.iter().enumerate();
        forms.fold(text.to_owned(), |text, (at, form)| text.replace(form.expose_secret(), &mark(at)))
    }

    /// Undoes [`seal`](Self::seal).
    pub(crate) fn unseal(&self, text: &str) -> String {
        let forms = self.forms.iter().enumerate();
        forms.fold(text.to_owned(), |text, (at, form)| text.replace(&mark(at), form.expose_secret()))
    }
}

/// No URL or cursor contains a control character.
fn mark(at: usize) -> String {
    format!("\u{1}{at}\u{2}")
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
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "KEY" => Some("s3cr3t/\"x".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn a_variable_is_written_for_its_place_and_shown_masked() {
        let mut secrets = Secrets::default();
        for (place, real) in [
            (Place::Header, "a s3cr3t/\"x b"),
            (Place::Url, "a s3cr3t%2F%22x b"),
            (Place::Body, "a s3cr3t/\\\"x b"),
        ] {
            let filled = secrets.fill("a ${KEY} b", place, &environment).unwrap();
            assert_eq!(filled.real, real);
            assert_eq!(filled.shown, "a *** b");
            assert_eq!(secrets.mask(&filled.real), "a *** b");
            let sealed = secrets.seal(&filled.real);
            assert!(!sealed.contains("s3cr3t"));
            assert_eq!(secrets.unseal(&sealed), filled.real);
        }
        assert!(!format!("{secrets:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let mut secrets = Secrets::default();
        for (text, part) in [
            ("${NOT_THERE}", "NOT_THERE is not set"),
            ("${EMPTY}", "EMPTY is not set"),
            ("${", "must be followed"),
            ("${a b}", "must be followed"),
        ] {
            let message = secrets.fill(text, Place::Header, &environment).err().unwrap();
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(secrets.fill("$x {y}", Place::Body, &environment).unwrap().real, "$x {y}");
    }
}
