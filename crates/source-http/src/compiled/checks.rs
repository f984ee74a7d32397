//! Checks of single keys, each with a message that says what to write instead.

use reqwest::Url;

use super::Ids;
use crate::config::{self, DEPTH_MAX, LimitsConfig};
use crate::problem::Problems;

/// A URL of a server, without secrets or variables in it.
pub(super) fn server(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("{text:?} is not a URL such as \"https://api.shop.example/v2\": {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("{text:?} must begin with http:// or https:// and name a server"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a user name and password do not belong into the URL; put them into source.headers".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() || text.contains(['{', '}']) {
        return Err(
            "a query, a fragment or a variable does not belong here; write it into the `url` of a section"
                .to_owned(),
        );
    }
    Ok(url)
}

pub(super) fn check_limits(limits: &LimitsConfig, problems: &mut Problems) {
    for (name, span) in
        [("connect", limits.connect), ("first_byte", limits.first_byte), ("total", limits.total)]
    {
        if span.duration().is_zero() {
            problems.push(&format!("source.limits.{name}"), "a limit of no time lets nothing through");
        }
    }
    for (name, number) in [
        ("body_bytes", limits.body_bytes),
        ("listing_body_bytes", limits.listing_body_bytes),
        ("listing_pages_max", limits.listing_pages_max),
        ("products_max", limits.products_max),
        ("markets_max", u64::try_from(limits.markets_max).unwrap_or(u64::MAX)),
    ] {
        if number == 0 {
            problems.push(&format!("source.limits.{name}"), "a limit of 0 lets nothing through");
        }
    }
    if !(1..=DEPTH_MAX).contains(&limits.depth) {
        problems.push("source.limits.depth", format_args!("must be from 1 to {DEPTH_MAX}"));
    }
    if reqwest::header::HeaderValue::from_str(&limits.user_agent).is_err() {
        problems.push("source.limits.user_agent", "has characters that no header may have");
    }
}

/// Notes keys that would have no effect.
pub(super) fn check_body(key: &str, method: config::Method, body: Option<&String>, problems: &mut Problems) {
    match (method, body) {
        (config::Method::Get, Some(_)) => {
            problems.push(&format!("{key}.body"), "a GET has no body; add method = \"POST\"");
        }
        (config::Method::Post, None) => {
            problems.push(&format!("{key}.method"), "a POST needs a `body`");
        }
        (config::Method::Get, None) | (config::Method::Post, Some(_)) => {}
    }
}

/// The configured ids, each once.
pub(super) fn listed<I, E: std::fmt::Display>(
    key: &str,
    list: &[String],
    make: impl Fn(&str) -> Result<I, E>,
    problems: &mut Problems,
) -> Option<Vec<I>> {
    if list.is_empty() {
        problems.push(key, "the list is empty");
    }
    let mut seen = std::collections::HashSet::new();
    let mut ids = Vec::with_capacity(list.len());
    for text in list {
        if !seen.insert(text) {
            problems.push(key, format_args!("{text:?} is listed twice"));
        }
        ids.push(problems.check(key, make(text))?);
    }
    Some(ids)
}

/// Which of `list` and `url` is used, where exactly one is.
pub(super) fn list_or_url<'a>(
    key: &str,
    list: Option<&'a Vec<String>>,
    url: Option<&'a String>,
    items: Option<&'a String>,
    problems: &mut Problems,
) -> Option<Ids<&'a String, (&'a str, &'a str)>> {
    match (list, url, items) {
        (Some(list), None, None) => Some(Ids::List(list.iter().collect())),
        (None, Some(url), Some(items)) => Some(Ids::Url((url, items))),
        (None, Some(_), None) => {
            problems.push(
                &format!("{key}.items"),
                "`url` needs `items`, the JSONPath of the array in the answer",
            );
            None
        }
        (None, None, _) => {
            problems.push(key, "needs `list`, or `url` with `items`");
            None
        }
        (Some(_), _, _) => {
            problems.push(key, "has both `list` and `url` or `items`; keep one");
            None
        }
    }
}
