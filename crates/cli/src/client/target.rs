//! What is asked of a server: a path built from segments of any characters, and a query.

use std::fmt::{self, Display};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 is encoded, so that any id stays one segment.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path and query below the address of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    has_query: bool,
}

impl Target {
    /// The path of these segments, each of them any text.
    #[must_use]
    pub fn path(segments: &[&str]) -> Self {
        let mut text = String::new();
        for segment in segments {
            text.push('/');
            text.extend(utf8_percent_encode(segment, ENCODED));
        }
        Self { text, has_query: false }
    }

    /// A route of the run: `/api/cache/prices/{verb}`.
    #[must_use]
    pub fn run(verb: &str) -> Self {
        Self::path(&["api", "cache", "prices", verb])
    }

    /// The same target with one more value in the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.text.push_str(name);
        self.text.push('=');
        self.text.extend(utf8_percent_encode(&value.to_string(), ENCODED));
        self.has_query = true;
        self
    }

    /// The same target, with one more value in the query if there is one.
    #[must_use]
    pub fn query_if_some(self, name: &str, value: Option<&impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }
}

impl Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn any_id_stays_one_segment() {
        for (id, encoded) in [
            ("a/b", "a%2Fb"),
            ("x  ", "x%20%20"),
            ("50%?#&=+;:", "50%25%3F%23%26%3D%2B%3B%3A"),
            ("Größe-1_2.3~", "Gr%C3%B6%C3%9Fe-1_2.3~"),
            ("日本", "%E6%97%A5%E6%9C%AC"),
        ] {
            assert_eq!(Target::path(&["api", "prices", id]).to_string(), format!("/api/prices/{encoded}"));
        }
    }

    #[test]
    fn queries_are_encoded_too() {
        let target = Target::run("errors")
            .query_if_some("market", Some(&"a&b"))
            .query_if_some("class", None::<&String>)
            .query("limit", 10);
        assert_eq!(target.to_string(), "/api/cache/prices/errors?market=a%26b&limit=10");
    }
}
