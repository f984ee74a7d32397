//! Lists of markets and products: the ids in an answer, and where the next page begins.

mod link;
mod pager;
mod place;
mod said;

use price_cache_domain::{FailureClass, Fault};
use serde_json::Value;

use crate::answer::{kind_of, start_of, text_of};
use crate::http::{Answer, status_fault};
use crate::json::{Document, Found, JsonPath, LONE};
use crate::price::not_json;
use crate::problem::Problems;
use crate::secrets::Secrets;

pub(crate) use pager::Pager;
pub(crate) use place::Place;

/// Reads the ids of a list.
pub(crate) struct ListReader {
    section: &'static str,
    items: JsonPath,
    id: Option<JsonPath>,
    /// The id of items that are objects, where none is configured.
    usual_id: JsonPath,
    depth_max: usize,
}

pub(crate) fn invalid(message: String) -> Fault {
    Fault::new(FailureClass::InvalidAnswer, message)
}

impl ListReader {
    /// Compiles `items` and `id` of a section; none where they have problems, which are noted.
    pub(crate) fn new(
        section: &'static str,
        items: &str,
        id: Option<&str>,
        depth_max: usize,
        problems: &mut Problems,
    ) -> Option<Self> {
        // `$.items[*]` is read as `$.items`, so that a missing array is told from an empty one.
        let array = items.strip_suffix("[*]").and_then(|array| JsonPath::new(array).ok());
        let items = match array.filter(JsonPath::names_one_place) {
            Some(array) => Some(array),
            None => problems.check(&format!("{section}.items"), JsonPath::new(items)),
        };
        let id = match id {
            Some(id) => Some(problems.check(&format!("{section}.id"), JsonPath::new(id))?),
            None => None,
        };
        let usual_id = problems.check(&format!("{section}.id"), JsonPath::new("$.id"))?;
        Some(Self { section, items: items?, id, usual_id, depth_max })
    }

    /// The answer as JSON.
    ///
    /// # Errors
    /// Another status than one of success, or no JSON.
    pub(crate) fn document<'a>(&self, answer: &'a Answer, secrets: &Secrets) -> Result<Document<'a>, Fault> {
        if !answer.status.is_success() {
            return Err(status_fault(answer.status, &answer.headers, &start_of(&answer.body, secrets)));
        }
        Document::parse(&answer.body, self.depth_max)
            .map_err(|reason| invalid(not_json(&reason, answer, secrets)))
    }

    /// The ids, in order.
    ///
    /// # Errors
    /// There is no list, or an item has no id that can be used.
    pub(crate) fn ids<I, E: std::fmt::Display>(
        &self,
        document: &Document<'_>,
        start: impl Fn() -> String,
        make: impl Fn(&str) -> Result<I, E>,
    ) -> Result<Vec<I>, Fault> {
        let key = || format!("{}.items = {:?}", self.section, self.items.text);
        let items: Vec<&Value> = if self.items.names_one_place() {
            match self.items.find(&document.value) {
                Found::One(Value::Array(items)) => items.iter().collect(),
                Found::One(Value::Null) => Vec::new(),
                Found::One(other) => {
                    return Err(invalid(format!("{} leads to {}, not to an array", key(), kind_of(other))));
                }
                Found::Nothing | Found::Several(_) => {
                    return Err(invalid(format!("{} matched nothing in {}", key(), start())));
                }
            }
        } else {
            self.items.find_all(&document.value)
        };
        let mut ids = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            let text =
                self.id_of(item).map_err(|reason| invalid(format!("item {at} of {}: {reason}", key())))?;
            if text.contains(LONE) {
                let message = format!("item {at} of {}: the id holds half of a surrogate pair", key());
                return Err(invalid(message));
            }
            ids.push(make(&text).map_err(|error| invalid(format!("item {at} of {}: {error}", key())))?);
        }
        Ok(ids)
    }

    fn id_of(&self, item: &Value) -> Result<String, String> {
        let path = match (&self.id, item) {
            (Some(path), _) => path,
            (None, Value::Object(_)) => &self.usual_id,
            (None, _) => {
                return text_of(item)
                    .ok_or_else(|| format!("{} is no id; set {}.id", kind_of(item), self.section));
            }
        };
        let key = || format!("{}.id = {:?}", self.section, path.text);
        match path.find(item) {
            Found::One(value) => text_of(value).ok_or_else(|| {
                format!("{} leads to {}, not to a text or whole number", key(), kind_of(value))
            }),
            Found::Nothing => Err(format!("{} matched nothing", key())),
            Found::Several(several) => Err(format!("{} matched {several} values", key())),
        }
    }
}
