//! Templates for URLs and bodies, compiled once.

mod body;
mod url;

pub(crate) use body::BodyTemplate;
pub(crate) use url::{UrlTemplate, parse as parse_url};

/// The variables of one request with their values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variables<'a>(pub(crate) &'a [(&'static str, &'a str)]);

impl<'a> Variables<'a> {
    pub(crate) fn get(self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
