//! Who may call, and whether the request is well-formed, before any handler sees it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERER, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{HeaderMap, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;

use crate::api_key::{ApiKeyHash, NoKey, UsedKey, presented};
use crate::entrance::Entrance;
use crate::options::ServerOptions;
use crate::problem::{Problem, with_document};

/// Headers of one request at most. A connection reads some more, so that this can be answered in words.
const HEADERS_MAX: usize = 64;
/// Names and values of all headers of a request at most.
const HEADER_BYTES_MAX: usize = 16 * 1024;
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Lets a request through, or answers it; every answer carries the security headers.
pub(crate) async fn guard(State(entrance): State<Entrance>, mut request: Request, next: Next) -> Response {
    let checked = check(&entrance.options, request.method(), request.uri(), request.headers())
        .and_then(|()| admit(&entrance.options, request.uri().path(), request.headers()));
    let key = checked.as_ref().ok().copied().flatten();
    if let Some(key) = key {
        request.extensions_mut().insert(UsedKey(key));
    }
    let path = request.uri().path().to_owned();
    let answer_time_max = entrance.options.limits.answer_time_max;
    let response = match checked {
        Ok(_) => tokio::time::timeout(answer_time_max, next.run(request)).await.unwrap_or_else(|_| {
            Problem::unavailable(format!(
                "there was no answer within {} s; what was asked for may still be done",
                answer_time_max.as_secs_f32()
            ))
            .into_response()
        }),
        Err(problem) => problem.into_response(),
    };
    let mut response = with_document(response, &path);
    if let Some(key) = key {
        response.extensions_mut().insert(UsedKey(key));
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        // What is answered is true for a moment; answers with a validator say otherwise themselves.
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn check(options: &ServerOptions, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let target_bytes_max = options.limits.target_bytes_max;
    if target.len() > target_bytes_max {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            format!("the path and query have {} bytes, at most {target_bytes_max} are allowed", target.len()),
        ));
    }
    if let Some(at) = malformed_percent(target) {
        return Err(Problem::bad_request(format!(
            "the percent sign at byte {at} of the path and query is not followed by two hexadecimal digits; \
             write a percent sign itself as %25"
        )));
    }
    if percent_decode_str(target).decode_utf8().is_err() {
        return Err(Problem::bad_request(
            "the path and query are not UTF-8 once their percent signs are decoded",
        ));
    }
    let header_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || header_bytes > HEADER_BYTES_MAX {
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            format!("at most {HEADERS_MAX} headers with {HEADER_BYTES_MAX} bytes together are allowed"),
        ));
    }
    let host = host_of(uri, headers)?;
    if !is_allowed(&host, &options.allowed_hosts) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("requests for host {host:?} are not answered; allow it with server.allowed_hosts"),
        ));
    }
    if !method.is_safe() && !same_origin(headers, &host) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a page of another origin may not change anything here",
        ));
    }
    Ok(())
}

/// Where keys are configured, the one that a request for the API or the metrics carries.
fn admit(options: &ServerOptions, path: &str, headers: &HeaderMap) -> Result<Option<ApiKeyHash>, Problem> {
    let keys = &options.api_keys;
    if keys.is_empty() || !needs_key(path) {
        return Ok(None);
    }
    presented(keys, headers).map(Some).map_err(|reason| {
        Problem::unauthorized(match reason {
            NoKey::Missing => "an API key is needed; send it as `Authorization: Bearer KEY`",
            NoKey::Wrong => {
                "the API key is not one of this server's; its operator sets them with server.api_keys"
            }
        })
    })
}

/// Whatever begins like the API or the metrics, however it is spelled, so that no spelling that a route
/// might accept one day gets by.
pub(crate) fn needs_key(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase();
    let first = decoded.split('/').find(|part| !part.is_empty() && *part != ".").unwrap_or_default();
    matches!(first, "api" | "metrics") || decoded.split('/').any(|part| part == "..")
}

/// The byte offset of the first percent sign that does not begin an escape.
fn malformed_percent(target: &str) -> Option<usize> {
    let bytes = target.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    (0..bytes.len()).find(|at| bytes[*at] == b'%' && !(is_hex(at + 1) && is_hex(at + 2)))
}

/// The host a request is for, without port, in lower case.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Result<String, Problem> {
    let mut named = headers.get_all(HOST).iter();
    let in_header = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, _) => None,
        (Some(_), Some(_)) => return Err(Problem::bad_request("the request names more than one host")),
    };
    let host = uri.authority().map(|authority| authority.as_str()).or(in_header);
    let host = host.ok_or_else(|| Problem::bad_request("the request names no host"))?;
    Ok(without_port(host).to_ascii_lowercase())
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address in brackets has colons of its own.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Loopback names, or names from the configuration. A page that rebinds its own name to this address
/// still sends its own name.
fn is_allowed(host: &str, allowed: &[String]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        bare == "localhost" || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    is_loopback || allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Whether a state-changing request comes from this server's own page or from no page at all.
/// Browsers tell by `Sec-Fetch-Site`, older ones by `Origin` or `Referer`.
fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    // Browsers give each once; of several, all must hold.
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter().peekable();
    if sites.peek().is_some() {
        return sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    }
    let own = headers.get(HOST).map(HeaderValue::as_bytes);
    let is_own = |url: &HeaderValue| {
        let named = url.to_str().ok().and_then(|url| url.split_once("://"));
        let authority = named.map(|(_, rest)| rest.split_once('/').map_or(rest, |(authority, _)| authority));
        authority.is_some_and(|authority| {
            own.map_or_else(
                || without_port(authority) == host,
                |own| own.eq_ignore_ascii_case(authority.as_bytes()),
            )
        })
    };
    // The very old ones tell by the page that the request comes from.
    let named = if headers.contains_key(ORIGIN) { ORIGIN } else { REFERER };
    headers.get_all(named).iter().all(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_percent_signs_are_found() {
        assert_eq!(malformed_percent("/a%2Fb?c=%20"), None);
        assert_eq!(malformed_percent("/a%2"), Some(2));
        assert_eq!(malformed_percent("/a%zz"), Some(2));
        assert_eq!(malformed_percent("/%"), Some(1));
    }

    #[test]
    fn loopback_and_configured_hosts_are_allowed() {
        let allowed = vec!["prices.example".to_owned()];
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "prices.example"] {
            assert!(is_allowed(host, &allowed), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[::2]"] {
            assert!(!is_allowed(host, &allowed), "{host}");
        }
        assert_eq!(without_port("[::1]:80"), "[::1]");
        assert_eq!(without_port("localhost:4680"), "localhost");
        assert_eq!(without_port("[::1]"), "[::1]");
    }

    #[test]
    fn no_spelling_of_the_api_gets_by_without_a_key() {
        for path in [
            "/api",
            "/api/",
            "/api/prices",
            "//api/prices",
            "/./api",
            "/%61pi/x",
            "/API/x",
            "/metrics",
            "/x/../api",
        ] {
            assert!(needs_key(path), "{path}");
        }
        for path in ["/", "/health/live", "/dashboard/api.js", "/apis", "/docs", "/openapi.json"] {
            assert!(!needs_key(path), "{path}");
        }
    }

    #[test]
    fn only_own_pages_and_no_pages_change_anything() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect()
        };
        let own = ("host", "localhost:4680");
        for (pairs, expected) in [
            (vec![own], true),
            (vec![own, ("sec-fetch-site", "same-origin")], true),
            (vec![own, ("sec-fetch-site", "none")], true),
            (vec![own, ("sec-fetch-site", "same-site")], false),
            (vec![own, ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:4680")], false),
            (vec![own, ("origin", "http://localhost:4680")], true),
            (vec![own, ("origin", "http://localhost:8080")], false),
            (vec![own, ("origin", "https://evil.example")], false),
            (vec![own, ("origin", "null")], false),
            (vec![own, ("referer", "http://localhost:4680/page?x=http://evil.example")], true),
            (vec![own, ("referer", "http://evil.example/http://localhost:4680/")], false),
            (vec![own, ("referer", "http://evil.example/"), ("origin", "http://localhost:4680")], true),
        ] {
            assert_eq!(same_origin(&headers(&pairs), "localhost"), expected, "{pairs:?}");
        }
    }
}
