//! JSON read strictly, with every digit of a number kept.

mod document;
mod path;
mod raw;

pub(crate) use document::Document;
pub(crate) use path::{Found, JsonPath};
