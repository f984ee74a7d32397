//! JSON read strictly, with every digit of a number kept.

mod document;
mod path;
mod raw;
mod stream;
mod surrogates;

pub(crate) use document::{Document, text_of_body};
pub(crate) use path::{Found, JsonPath};
pub(crate) use raw::{Step, text_at};
pub(crate) use stream::{Place, controls_escaped, lenient, scan};
pub(crate) use surrogates::{LONE, mended};
