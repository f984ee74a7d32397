//! Lists of markets and products: the ids in an answer, and where the next page begins.

mod link;
mod pager;
mod place;
mod reader;
mod said;

use price_cache_domain::{FailureClass, Fault};

pub(crate) use pager::Pager;
pub(crate) use place::Place;
pub(crate) use reader::{ListReader, Listed};

pub(crate) fn invalid(message: String) -> Fault {
    Fault::new(FailureClass::InvalidAnswer, message)
}
