//! `GET /`, `GET /docs` and `GET /dashboard/{name}`: the pages and their files.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderValue, VARY,
};
use hyper::{HeaderMap, StatusCode};

use crate::assets::{self, Asset, DOCS, INDEX};
use crate::openapi::{Endpoint, Parameter, Tag};
use crate::problem::Problem;
use crate::validators::none_match;

/// Only what this server itself serves as files; nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

pub(super) fn page() -> Endpoint {
    Endpoint::get("/", index, ("getDashboard", Tag::Pages, "The dashboard"))
        .text(HTML, "The page; its files are below `/dashboard/`.", None)
        .headers(&["ETag"])
        .not_modified()
}

pub(super) fn documentation() -> Endpoint {
    Endpoint::get("/docs", docs, ("getDocs", Tag::Pages, "This description, for a browser"))
        .text(HTML, "The page; it draws what `/openapi.json` says.", None)
        .headers(&["ETag"])
        .not_modified()
}

pub(super) fn files() -> Endpoint {
    let path = "/dashboard/{name}";
    Endpoint::get(
        path,
        named,
        ("getPageFile", Tag::Pages, "A script, a style sheet or a picture of the pages"),
    )
    .parameter(Parameter::word("name", "The name of the file.", &assets::names()))
    .text("*/*", "The file.", None)
    .headers(&["ETag"])
    .not_modified()
    .problem(404, "There is no such file.")
}

async fn index(headers: HeaderMap) -> Result<Response, Problem> {
    file(INDEX, &headers)
}

async fn docs(headers: HeaderMap) -> Result<Response, Problem> {
    file(DOCS, &headers)
}

async fn named(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    match name.as_str() {
        INDEX => Err(Problem::not_found("the page itself is at /")),
        DOCS => Err(Problem::not_found("the page itself is at /docs")),
        name => file(name, &headers),
    }
}

fn file(name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let asset = assets::find(name);
    let asset = asset.ok_or_else(|| Problem::not_found(format!("the dashboard has no file {name:?}")))?;
    let mut response = send(asset, headers);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}

/// The asset, compressed where the client takes that, or that it has not changed.
pub(super) fn send(Asset { media_type, plain, gzip }: &Asset, headers: &HeaderMap) -> Response {
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
    if let Ok(etag) = HeaderValue::from_str(&sent.etag) {
        headers.insert(ETAG, etag);
    }
    response
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
