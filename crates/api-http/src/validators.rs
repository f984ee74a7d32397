//! Whether a client already has what it asks for.

use hyper::HeaderMap;
use hyper::header::IF_NONE_MATCH;

/// Whether `If-None-Match` names this entity tag, by the weak comparison (RFC 9110, section 13.1.2);
/// `None` when the request has no such header.
pub(crate) fn none_match(headers: &HeaderMap, etag: &str) -> Option<bool> {
    headers.contains_key(IF_NONE_MATCH).then(|| {
        let mut lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
        lists.any(|known| matches_etag(known, etag))
    })
}

fn matches_etag(known: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|known| opaque(known) == opaque(etag))
}
