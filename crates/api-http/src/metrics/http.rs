//! Requests that were answered, by route.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hyper::{Method, StatusCode};

use super::text::{Kind, Page};

/// What a request for no route counts as; clients must not be able to make up series.
const NO_ROUTE: &str = "none";

type Key = (String, &'static str, u16);

/// Counts by route, method and status.
#[derive(Default)]
pub(crate) struct HttpRequests(Mutex<BTreeMap<Key, u64>>);

impl HttpRequests {
    pub(crate) fn count(&self, route: Option<&str>, method: &Method, status: StatusCode) {
        let key = (route.unwrap_or(NO_ROUTE).to_owned(), name(method), status.as_u16());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(key).or_default() += 1;
    }

    pub(super) fn write(&self, page: &mut Page) {
        let family = "price_cache_http_requests_total";
        page.family(family, Kind::Counter, "Requests answered, by route.");
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((route, method, status), count) in counts {
            let labels = [("route", route.as_str()), ("method", method), ("status", &status.to_string())];
            page.sample(family, &labels, count as f64);
        }
    }
}

/// Methods that a client makes up are one.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
