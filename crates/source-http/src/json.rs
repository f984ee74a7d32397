//! JSON read strictly, with every digit of a number kept.

mod document;
mod path;
mod raw;
mod surrogates;

pub(crate) use document::Document;
pub(crate) use path::{Found, JsonPath};
pub(crate) use surrogates::LONE;
