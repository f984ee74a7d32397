//! `GET /` and `GET /dashboard/{name}`: the page and its files.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderValue, VARY,
};
use hyper::{HeaderMap, StatusCode};

use crate::assets::{self, Asset, INDEX};
use crate::problem::Problem;
use crate::validators::none_match;

/// Only what this server itself serves as files; nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn index(headers: HeaderMap) -> Result<Response, Problem> {
    file(INDEX, &headers)
}

pub(crate) async fn named(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    if name == INDEX {
        return Err(Problem::not_found("the page itself is at /"));
    }
    file(&name, &headers)
}

fn file(name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some(Asset { media_type, plain, gzip }) = assets::find(name) else {
        return Err(Problem::not_found(format!("the dashboard has no file {name:?}")));
    };
    let gzip = gzip.as_ref().filter(|_| accepts_gzip(headers));
    let sent = gzip.unwrap_or(plain);
    let unchanged = none_match(headers, &sent.etag) == Some(true);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, *media_type)], sent.bytes.clone()).into_response()
    };
    let headers = response.headers_mut();
    if gzip.is_some() && !unchanged {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // Names stay the same when their content changes: kept, but asked about each time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(etag) = HeaderValue::from_str(&sent.etag) {
        headers.insert(ETAG, etag);
    }
    Ok(response)
}

/// Whether the client names gzip and does not forbid it with a weight of 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}
