//! Reads the ids of a list; items that are no products or markets are counted and left out.

use price_cache_domain::Fault;
use serde_json::Value;

use super::invalid;
use crate::answer::{excerpt, kind_of, start_of, text_of};
use crate::http::Answer;
use crate::json::{
    Document, Found, JsonPath, LONE, Place, Step, controls_escaped, lenient, mended, scan, text_at,
    text_of_body,
};
use crate::price::not_json;
use crate::problem::Problems;
use crate::rules::Rules;
use crate::secrets::Secrets;

/// How much of the body of a refusal a message shows, in characters.
const REFUSAL_SHOWN_CHARS: usize = 140;

/// How much of an item that is left out is shown, in characters.
const ITEM_SHOWN_CHARS: usize = 50;

/// Reads the ids of a list.
pub(crate) struct ListReader {
    section: &'static str,
    /// As it was configured.
    text: String,
    /// The array, or each of its items.
    items: JsonPath,
    /// The steps from each item of the array to what holds the id.
    inner: Vec<Step>,
    id: Option<JsonPath>,
    /// The id of items that are objects, where none is configured.
    usual_id: JsonPath,
    depth_max: usize,
}

/// What a list holds.
#[derive(Debug)]
pub(crate) struct Listed<I> {
    /// The ids, in order.
    pub(crate) ids: Vec<I>,
    /// How many items were left out.
    pub(crate) skipped: u64,
    /// What is wrong with the first of them.
    pub(crate) example: Option<String>,
    /// The answer without the items.
    pub(crate) rest: Value,
}

impl<I> Listed<I> {
    /// How many items there are, those that were left out included.
    pub(crate) fn items(&self) -> u64 {
        u64::try_from(self.ids.len()).unwrap_or(u64::MAX).saturating_add(self.skipped)
    }
}

/// Why an item is none.
struct NoId(String);

impl ListReader {
    /// Compiles `items` and `id` of a section; none where they have problems, which are noted.
    pub(crate) fn new(
        section: &'static str,
        items: &str,
        id: Option<&str>,
        depth_max: usize,
        problems: &mut Problems,
    ) -> Option<Self> {
        let key = |name: &str| format!("{section}.{name}");
        let whole = problems.check(&key("items"), JsonPath::new(items));
        // `$.items[*].sku` is read as `$.items`, so that a missing array is told from an empty one, and an
        // item without `sku` from none.
        let array = items.split_once("[*]").and_then(|(array, rest)| {
            let array = JsonPath::new(array).ok().filter(JsonPath::names_one_place)?;
            Some((array, JsonPath::steps_after(rest)?))
        });
        let id = match id {
            Some(id) => Some(problems.check(&key("id"), JsonPath::new(id))?),
            None => None,
        };
        let usual_id = problems.check(&key("id"), JsonPath::new("$.id"))?;
        let whole = whole?;
        let (array, inner) = array.unwrap_or((whole, Vec::new()));
        Some(Self { section, text: items.to_owned(), items: array, inner, id, usual_id, depth_max })
    }

    /// Reads the list in an answer with success; `paths` are those that are looked at besides.
    ///
    /// # Errors
    /// It is no list, or asks for fewer requests.
    pub(crate) fn read<I, E: std::fmt::Display>(
        &self,
        answer: &Answer,
        rules: &Rules,
        paths: &[&JsonPath],
        secrets: &Secrets,
        make: impl Fn(&str) -> Result<I, E>,
    ) -> Result<Listed<I>, Fault> {
        rules.check_headers(answer)?;
        let mut paths = paths.iter().copied().chain(rules.paths_in_lists());
        let steps = self.items.steps().filter(|array| !paths.any(|path| path.may_touch(array)));
        if let Some(steps) = steps {
            let scanned = self.scanned(&answer.body, steps, secrets, &make);
            let (collected, rest, place) =
                scanned.map_err(|reason| invalid(not_json(&reason, answer, secrets)))?;
            if place != Place::Other {
                rules.check_list(&rest, answer, secrets)?;
                return Ok(self.listed(collected, rest));
            }
        }
        let mut collected = Collected::default();
        let document = Document::parse(&answer.body, self.depth_max)
            .map_err(|reason| invalid(not_json(&reason, answer, secrets)))?;
        rules.check_list(&document.value, answer, secrets)?;
        let said = |reason: String| match rules.error_message(&document.value, secrets) {
            Some(said) => invalid(format!("{reason}; the API says: {said}")),
            None => invalid(reason),
        };
        for item in self.items_in(&document.value, answer, secrets).map_err(said)? {
            let id = self.id_in_value(item).and_then(|id| checked(&id, false, &make));
            collected.add(id, || excerpt(item.to_string().as_bytes(), secrets, ITEM_SHOWN_CHARS));
        }
        Ok(self.listed(collected, document.value))
    }

    /// Reads the items one by one. Bytes that are not UTF-8 and bare control characters harm only the item
    /// whose id they are in.
    fn scanned<I, E: std::fmt::Display>(
        &self,
        body: &[u8],
        steps: &[Step],
        secrets: &Secrets,
        make: impl Fn(&str) -> Result<I, E>,
    ) -> Result<(Collected<I>, Value, Place), String> {
        let scan_text = |text: &str, is_damaged: bool| {
            let mut collected = Collected::default();
            let mut each = |item: &str| {
                let id = self.id_in_text(item).and_then(|id| checked(&id, is_damaged, &make));
                collected.add(id, || excerpt(item.as_bytes(), secrets, ITEM_SHOWN_CHARS));
            };
            let (rest, place) = scan(text, steps, self.depth_max, &mut each)?;
            Ok((collected, rest, place))
        };
        let lossy = || String::from_utf8_lossy(body);
        let (text, is_damaged, found) = match text_of_body(body) {
            Ok(text) => (text.into(), false, scan_text(text, false)),
            Err(reason) if std::str::from_utf8(body).is_ok() => return Err(reason),
            Err(reason) => (lossy(), true, scan_text(&lossy(), true).map_err(|_: String| reason)),
        };
        found.or_else(|reason| {
            let escaped = controls_escaped(&text).ok_or_else(|| reason.clone())?;
            scan_text(&escaped, is_damaged).map_err(|_| reason)
        })
    }

    /// The fault for a list that was refused.
    pub(crate) fn refusal(&self, answer: &Answer, rules: &Rules, secrets: &Secrets) -> Fault {
        rules.refusal(answer, self.depth_max, secrets, REFUSAL_SHOWN_CHARS)
    }

    /// The fault for a list of which more than half is unusable.
    pub(crate) fn mostly_unusable(&self, skipped: u64, items: u64, example: &str) -> Fault {
        let section = self.section;
        invalid(format!("{skipped} of {items} items are unusable ({section}): {example}"))
    }

    fn listed<I>(&self, collected: Collected<I>, rest: Value) -> Listed<I> {
        let key = format!("{}.items = {:?}", self.section, self.text);
        let example = collected
            .first
            .map(|(at, NoId(reason), shown)| format!("item {at} of {key}: {reason} in {shown}"));
        Listed { ids: collected.ids, skipped: collected.skipped, example, rest }
    }

    fn items_in<'v>(
        &self,
        value: &'v Value,
        answer: &Answer,
        secrets: &Secrets,
    ) -> Result<Vec<&'v Value>, String> {
        let key = || format!("{}.items = {:?}", self.section, self.items.text);
        if !self.items.names_one_place() {
            return Ok(self.items.find_all(value));
        }
        match self.items.find(value) {
            Found::One(Value::Array(items)) => Ok(items.iter().collect()),
            Found::One(Value::Null) => Ok(Vec::new()),
            Found::One(other) => Err(format!("{} leads to {}, not to an array", key(), kind_of(other))),
            Found::Nothing | Found::Several(_) => {
                Err(format!("{} matched nothing in {}", key(), start_of(&answer.body, secrets)))
            }
        }
    }

    fn id_in_text(&self, item: &str) -> Result<String, NoId> {
        let holder = text_at(item, &self.inner).ok_or_else(|| self.nothing_inside())?;
        let path = match &self.id {
            Some(path) => path,
            None if holder.starts_with('{') => &self.usual_id,
            None => {
                return id_of_text(holder).map_err(|kind| self.no_id(kind));
            }
        };
        let Some(steps) = path.steps() else {
            return self.id_at(path, &lenient(holder, self.depth_max));
        };
        let id = text_at(holder, steps).ok_or_else(|| self.matched(path, "nothing"))?;
        id_of_text(id).map_err(|kind| self.leads_to(path, kind))
    }

    fn id_in_value(&self, item: &Value) -> Result<String, NoId> {
        let inner = self.inner.iter().try_fold(item, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Element(at) => value.get(at),
        });
        let holder = inner.ok_or_else(|| self.nothing_inside())?;
        match (&self.id, holder) {
            (Some(path), _) => self.id_at(path, holder),
            (None, Value::Object(_)) => self.id_at(&self.usual_id, holder),
            (None, _) => text_of(holder).ok_or_else(|| self.no_id(kind_of(holder))),
        }
    }

    fn id_at(&self, path: &JsonPath, holder: &Value) -> Result<String, NoId> {
        match path.find(holder) {
            Found::One(value) => text_of(value).ok_or_else(|| self.leads_to(path, kind_of(value))),
            Found::Nothing => Err(self.matched(path, "nothing")),
            Found::Several(several) => Err(self.matched(path, &format!("{several} values"))),
        }
    }

    fn nothing_inside(&self) -> NoId {
        NoId("it matched nothing".to_owned())
    }

    fn no_id(&self, kind: &str) -> NoId {
        NoId(format!("{kind} is no id; set {}.id", self.section))
    }

    fn matched(&self, path: &JsonPath, what: &str) -> NoId {
        NoId(format!("{}.id = {:?} matched {what}", self.section, path.text))
    }

    fn leads_to(&self, path: &JsonPath, kind: &str) -> NoId {
        NoId(format!("{}.id = {:?} leads to {kind}, not to a text or whole number", self.section, path.text))
    }
}

/// The ids so far, and the items that have none.
struct Collected<I> {
    ids: Vec<I>,
    skipped: u64,
    first: Option<(u64, NoId, String)>,
    at: u64,
}

impl<I> Default for Collected<I> {
    fn default() -> Self {
        Self { ids: Vec::new(), skipped: 0, first: None, at: 0 }
    }
}

impl<I> Collected<I> {
    fn add(&mut self, id: Result<I, NoId>, shown: impl Fn() -> String) {
        match id {
            Ok(id) => self.ids.push(id),
            Err(reason) => {
                self.skipped += 1;
                if self.first.is_none() {
                    self.first = Some((self.at, reason, shown()));
                }
            }
        }
        self.at += 1;
    }
}

/// Makes the id; `is_damaged` is whether bytes of the list were replaced.
fn checked<I, E: std::fmt::Display>(
    id: &str,
    is_damaged: bool,
    make: impl Fn(&str) -> Result<I, E>,
) -> Result<I, NoId> {
    if id.contains(LONE) {
        return Err(NoId("the id holds half of a surrogate pair".to_owned()));
    }
    if is_damaged && id.contains(char::REPLACEMENT_CHARACTER) {
        return Err(NoId("the id is not UTF-8".to_owned()));
    }
    make(id).map_err(|error| NoId(error.to_string()))
}

/// Reads a text or whole number, digit by digit; otherwise says what it is.
fn id_of_text(text: &str) -> Result<String, &'static str> {
    match text.as_bytes() {
        [b'"', ..] => {
            let read = serde_json::from_str(text).ok();
            read.or_else(|| serde_json::from_str(&mended(text)?).ok()).ok_or("a damaged text")
        }
        [b'n', ..] => Err("null"),
        [b't' | b'f', ..] => Err("a truth value"),
        [b'[', ..] => Err("an array"),
        [b'{', ..] => Err("an object"),
        digits => match digits.strip_prefix(b"-").unwrap_or(digits).iter().all(u8::is_ascii_digit) {
            true => Ok(text.to_owned()),
            false => Err("a number"),
        },
    }
}
