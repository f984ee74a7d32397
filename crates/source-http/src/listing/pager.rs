//! Pagination: how each page is asked for, and what an answer says about the next.

use price_cache_domain::{Fault, ProductId};
use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::link::next_link;
use super::said::{Announced, Next, SECTION, hash_of, joined, number, odd, optional_text, truth};
use super::{Listed, Place, invalid};
use crate::answer::kind_of;
use crate::config::PaginationConfig;
use crate::json::{Found, JsonPath};
use crate::problem::Problems;

/// The style, with its paths compiled.
enum Style {
    None,
    Page { first: u64, total_pages: Option<JsonPath>, total: Option<JsonPath> },
    Offset { total: Option<JsonPath> },
    Cursor { next: JsonPath },
    NextUrl { next: JsonPath },
    LinkHeader,
}

/// `[source.products.pagination]`, compiled.
pub(crate) struct Pager {
    style: Style,
    has_more: Option<JsonPath>,
    /// The variable of the templates and its query parameter.
    variable: Option<(&'static str, String)>,
    size: Option<(Option<String>, u64)>,
}

impl Pager {
    /// Compiles the section; none where it has problems, which are noted.
    pub(crate) fn new(config: &PaginationConfig, problems: &mut Problems) -> Option<Self> {
        let mut path = |name: &str, text: Option<&String>| match text {
            Some(text) => problems.check(&format!("{SECTION}.{name}"), JsonPath::new(text)).map(Some),
            None => Some(None),
        };
        let mut pager = Self { style: Style::None, has_more: None, variable: None, size: None };
        match config {
            PaginationConfig::None => {}
            PaginationConfig::Page { param, first, size_param, size, total_pages, total, has_more } => {
                let total_pages = path("total_pages", total_pages.as_ref());
                let total = path("total", total.as_ref());
                pager.has_more = path("has_more", has_more.as_ref())?;
                pager.style = Style::Page { first: *first, total_pages: total_pages?, total: total? };
                pager.variable = Some(("page", param.clone()));
                pager.size = size.map(|size| (size_param.clone(), size));
            }
            PaginationConfig::Offset { param, size_param, size, total, has_more } => {
                let total = path("total", total.as_ref());
                pager.has_more = path("has_more", has_more.as_ref())?;
                pager.style = Style::Offset { total: total? };
                pager.variable = Some(("offset", param.clone()));
                pager.size = Some((Some(size_param.clone()), *size));
            }
            PaginationConfig::Cursor { param, next, has_more, size_param, size } => {
                let next = path("next", Some(next));
                pager.has_more = path("has_more", has_more.as_ref())?;
                pager.style = Style::Cursor { next: next?? };
                pager.variable = Some(("cursor", param.clone()));
                pager.size = size.map(|size| (size_param.clone(), size));
            }
            PaginationConfig::NextUrl { next } => {
                pager.style = Style::NextUrl { next: path("next", Some(next))?? };
            }
            PaginationConfig::LinkHeader {} => pager.style = Style::LinkHeader,
        }
        if pager.size.as_ref().is_some_and(|(_, size)| *size == 0) {
            problems.push(&format!("{SECTION}.size"), "a page must have at least one product");
        }
        Some(pager)
    }

    /// Where the list begins.
    pub(crate) fn first(&self) -> Place {
        let at = match &self.style {
            Style::Page { first, .. } => first.to_string(),
            Style::Offset { .. } => "0".to_owned(),
            Style::None | Style::Cursor { .. } | Style::NextUrl { .. } | Style::LinkHeader => String::new(),
        };
        Place { at, ..Place::default() }
    }

    /// The URL of the page, where the place says it whole.
    pub(crate) fn url<'a>(&self, place: &'a Place) -> Option<&'a str> {
        let says_url = matches!(self.style, Style::NextUrl { .. } | Style::LinkHeader);
        (says_url && !place.at.is_empty()).then_some(place.at.as_str())
    }

    /// The size of a page as text, empty where none is configured.
    pub(crate) fn size(&self) -> String {
        self.size.as_ref().map(|(_, size)| size.to_string()).unwrap_or_default()
    }

    /// The variables of the templates for a page.
    pub(crate) fn variables<'a>(&self, place: &'a Place, size: &'a str) -> Vec<(&'static str, &'a str)> {
        let at = |name: &str| match &self.variable {
            Some((variable, _)) if *variable == name => place.at.as_str(),
            _ => "",
        };
        vec![("page", at("page")), ("offset", at("offset")), ("cursor", at("cursor")), ("size", size)]
    }

    /// The parameters to add to the query of a page; `uses` is whether the templates name a variable themselves.
    pub(crate) fn query<'a>(
        &'a self,
        place: &'a Place,
        size: &'a str,
        uses: impl Fn(&str) -> bool,
    ) -> Vec<(&'a str, &'a str)> {
        let mut query = Vec::new();
        if let Some((variable, parameter)) = &self.variable
            && !place.at.is_empty()
            && !uses(variable)
        {
            query.push((parameter.as_str(), place.at.as_str()));
        }
        if let Some((Some(parameter), _)) = &self.size
            && !uses("size")
        {
            query.push((parameter.as_str(), size));
        }
        query
    }

    /// Where the next page begins; none after the last.
    ///
    /// # Errors
    /// The answer does not say it, or says what it said before.
    pub(crate) fn next(
        &self,
        place: &Place,
        listed: &Listed<ProductId>,
        headers: &HeaderMap,
        asked: &Url,
    ) -> Result<Option<Place>, Fault> {
        let value = &listed.rest;
        let hash = hash_of(&listed.ids);
        let is_repeated = !listed.ids.is_empty() && place.pages > 0 && hash == place.hash;
        let seen = place.products.saturating_add(listed.items());
        let next = match &self.style {
            Style::None => None,
            Style::Page { .. } | Style::Offset { .. } => {
                // What came a second time does not count.
                let seen = if is_repeated { place.products } else { seen };
                let next = self.counted(place, listed.items(), seen, value)?;
                let least = if place.pages == 1 { Announced::ByTotal } else { Announced::Surely };
                if is_repeated && next.as_ref().is_some_and(|next| next.announced >= least) {
                    return Err(invalid(format!(
                        "page {} of the products is the same as the one before; check {SECTION}.param",
                        place.pages + 1
                    )));
                }
                next.filter(|_| !is_repeated)
            }
            Style::Cursor { next } => self.after_cursor(next, value)?,
            Style::NextUrl { next } => match optional_text("next", next, value)? {
                Some(url) => Some(Next::named(joined(asked, &url)?)),
                None => None,
            },
            Style::LinkHeader => match next_link(headers) {
                Some(url) => Some(Next::named(joined(asked, &url)?)),
                None => None,
            },
        };
        let Some(Next { at, announced }) = next else { return Ok(None) };
        let leads_here = at == place.at || self.says_url_of(asked, &at);
        let promised = announced == Announced::Surely;
        if leads_here && (listed.items() == 0 || is_repeated) {
            if promised {
                return Err(invalid(format!(
                    "the next page after page {} is that page itself",
                    place.pages + 1
                )));
            }
            return Ok(None);
        }
        let pages = place.pages.saturating_add(1);
        let skipped = place.skipped.saturating_add(listed.skipped);
        let announced = self.announced(place, &listed.rest);
        Ok(Some(Place { at, pages, products: seen, hash, promised, skipped, announced }))
    }

    /// How many products the list says that it has, here or on a page before.
    pub(crate) fn announced(&self, place: &Place, value: &Value) -> Option<u64> {
        let path = match &self.style {
            Style::Page { total, .. } | Style::Offset { total } => total.as_ref(),
            Style::None | Style::Cursor { .. } | Style::NextUrl { .. } | Style::LinkHeader => None,
        };
        path.and_then(|path| number("total", path, value, true).ok().flatten()).or(place.announced)
    }

    /// The paths that are looked at in each answer.
    pub(crate) fn paths(&self) -> Vec<&JsonPath> {
        let of_style = match &self.style {
            Style::Page { total_pages, total, .. } => [total_pages.as_ref(), total.as_ref()],
            Style::Offset { total } => [total.as_ref(), None],
            Style::Cursor { next } | Style::NextUrl { next } => [Some(next), None],
            Style::None | Style::LinkHeader => [None, None],
        };
        of_style.into_iter().flatten().chain(&self.has_more).collect()
    }

    /// Tells whether a page that was refused with this status is the end of its list.
    ///
    /// The first page is none, nor is one that the page before it announced. A cursor that is refused
    /// with 400 may have expired.
    pub(crate) fn ends_with(&self, place: &Place, status: StatusCode) -> bool {
        let ends = matches!(
            (&self.style, status),
            (_, StatusCode::NOT_FOUND | StatusCode::NO_CONTENT)
                | (Style::Page { .. } | Style::Offset { .. }, StatusCode::BAD_REQUEST)
        );
        ends && place.pages > 0 && !place.promised
    }

    fn says_url_of(&self, asked: &Url, at: &str) -> bool {
        matches!(self.style, Style::NextUrl { .. } | Style::LinkHeader) && asked.as_str() == at
    }

    /// Reads the next page of a list with cursors.
    fn after_cursor(&self, next: &JsonPath, value: &Value) -> Result<Option<Next>, Fault> {
        let more = self.more(value)?;
        if more == Some(false) {
            return Ok(None);
        }
        let cursor = optional_text("next", next, value)?;
        if cursor.is_none() && more == Some(true) {
            return Err(invalid(format!("more products follow, but {SECTION}.next finds no cursor")));
        }
        let announced = if more == Some(true) { Announced::Surely } else { Announced::No };
        Ok(cursor.map(|at| Next { at, announced }))
    }

    /// Counts to the next page of a numbered list.
    fn counted(&self, place: &Place, items: u64, seen: u64, value: &Value) -> Result<Option<Next>, Fault> {
        let at: u64 =
            place.at.parse().map_err(|_| invalid("the cursor of the product list is damaged".to_owned()))?;
        let is_empty = items == 0;
        let (next, total) = match &self.style {
            Style::Page { first, total_pages: Some(path), .. } => {
                let pages = number("total_pages", path, value, is_empty)?.unwrap_or_default();
                let next = at.saturating_add(1).to_string();
                return Ok((at.saturating_sub(*first).saturating_add(1) < pages)
                    .then_some(Next { at: next, announced: Announced::Surely }));
            }
            Style::Page { total, .. } => (at.saturating_add(1), total),
            Style::Offset { total } => (at.saturating_add(items), total),
            Style::None | Style::Cursor { .. } | Style::NextUrl { .. } | Style::LinkHeader => {
                return Ok(None);
            }
        };
        let (follows, announced) = match (self.more(value)?, total) {
            // An empty page would be asked for for ever by its offset.
            (Some(more), _) => (more && next > at, Announced::Surely),
            (None, Some(path)) => {
                let total = number("total", path, value, is_empty)?.unwrap_or(seen);
                (!is_empty && seen < total, Announced::ByTotal)
            }
            (None, None) => (!is_empty, Announced::No),
        };
        Ok(follows.then(|| Next { at: next.to_string(), announced }))
    }

    /// Reads whether the answer says that more follows.
    fn more(&self, value: &Value) -> Result<Option<bool>, Fault> {
        let Some(path) = &self.has_more else { return Ok(None) };
        match path.find(value) {
            Found::One(Value::Null) => Ok(None),
            Found::One(value) => match truth(value) {
                Some(more) => Ok(Some(more)),
                None => Err(odd("has_more", path, kind_of(value), "a truth value")),
            },
            Found::Nothing | Found::Several(_) => Err(odd("has_more", path, "no one value", "a truth value")),
        }
    }
}
