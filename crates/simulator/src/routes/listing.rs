//! The products of a market, page by page in five styles.

use bytes::Bytes;
use hyper::header::{HeaderValue, LINK};
use hyper::{Response, StatusCode};

use super::answers::push_items;
use super::target::{Query, encode};
use super::{Answer, Call, answers, fault_answers};
use crate::body::AnswerBody;
use crate::faults::Verdict;
use crate::{Catalogue, FaultKind, Market};

const PAGE_SIZE_DEFAULT: usize = 1000;
const PAGE_SIZE_MAX: usize = 10_000;
/// Ends every cursor, so that a client that does not percent-encode it is found out.
const CURSOR_END: &str = "+/==";

/// How the pages of a list hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pagination {
    Page,
    Offset,
    Cursor,
    Next,
    Link,
}

impl Pagination {
    /// The style of a path's first segment.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "offset" => Some(Self::Offset),
            "cursor" => Some(Self::Cursor),
            "next" => Some(Self::Next),
            "link" => Some(Self::Link),
            _ => None,
        }
    }
}

/// Counts a request for a list and answers it, with the faults of lists.
pub(super) async fn serve(
    call: &Call,
    market: Option<&str>,
    good: impl FnOnce(&Catalogue) -> Response<AnswerBody>,
) -> Answer {
    let attempt = call.shared.ledger.listing(market);
    let plan = call.shared.plan();
    call.shared.delay(&plan, market.unwrap_or_default(), "", attempt).await;
    let verdict =
        if call.denied { Verdict::Mode(FaultKind::Status(401)) } else { plan.listing(market, attempt) };
    let catalogue = call.shared.catalogue();
    match verdict {
        Verdict::Good => Ok(good(&catalogue)),
        Verdict::Mode(kind) | Verdict::Fault(kind) => {
            fault_answers::answer(kind, &call.peer, good(&catalogue), None).await
        }
    }
}

pub(super) async fn answer(call: &Call, market: &str, style: Pagination, query: &Query<'_>) -> Answer {
    let base_url = call.shared.base_url();
    serve(call, Some(market), |catalogue| {
        let Some(found) = catalogue.market(market) else {
            return answers::error(StatusCode::NOT_FOUND, &format!("there is no market {market:?}"));
        };
        match page(found, style, query, &base_url) {
            Ok(response) => response,
            Err(message) => answers::error(StatusCode::BAD_REQUEST, &message),
        }
    })
    .await
}

fn page(
    market: &Market,
    style: Pagination,
    query: &Query<'_>,
    base_url: &str,
) -> Result<Response<AnswerBody>, String> {
    let size_name = if style == Pagination::Offset { "limit" } else { "size" };
    let size = query.number(size_name, PAGE_SIZE_DEFAULT)?;
    if !(1..=PAGE_SIZE_MAX).contains(&size) {
        return Err(format!("{size_name} is from 1 to {PAGE_SIZE_MAX}, not {size}"));
    }
    let offset = match style {
        Pagination::Page => match query.number("page", 1)? {
            0 => return Err("page counts from 1".to_owned()),
            page => (page - 1).saturating_mul(size),
        },
        Pagination::Offset => query.number("offset", 0)?,
        Pagination::Next | Pagination::Link => query.number("after", 0)?,
        Pagination::Cursor => cursor(query.get("cursor").unwrap_or_default())?,
    };
    let end = offset.saturating_add(size);
    let next = (end < market.len()).then_some(end);

    let mut body = Vec::new();
    body.extend_from_slice(if style == Pagination::Link { b"[".as_slice() } else { b"{\"items\":[" });
    push_items(&mut body, market.ids(offset, size), true);
    body.push(b']');
    let mut link = None;
    match style {
        Pagination::Page => {
            let (page, pages) = (offset / size + 1, market.len().div_ceil(size));
            body.extend_from_slice(format!(",\"page\":{page},\"pages\":{pages}}}").as_bytes());
        }
        Pagination::Offset => body.extend_from_slice(format!(",\"total\":{}}}", market.len()).as_bytes()),
        Pagination::Cursor => {
            let next = next.map(|offset| format!("{offset:x}{CURSOR_END}"));
            push_optional(&mut body, "next_cursor", next.as_deref());
        }
        Pagination::Next => {
            let origin = match query.get("urls") {
                None | Some("absolute") => base_url,
                Some("relative") => "",
                Some(other) => return Err(format!("urls is absolute or relative, not {other:?}")),
            };
            let suffix = if origin.is_empty() { "&urls=relative" } else { "" };
            let next = next.map(|after| format!("{origin}{}{suffix}", target("next", market, after, size)));
            push_optional(&mut body, "next", next.as_deref());
        }
        Pagination::Link => {
            let first = format!("<{base_url}{}>; rel=\"first\"", target("link", market, 0, size));
            let next = next
                .map(|after| format!(", <{base_url}{}>; rel=\"next\"", target("link", market, after, size)));
            link = HeaderValue::try_from(first + next.as_deref().unwrap_or_default()).ok();
        }
    }
    let mut response = answers::json(StatusCode::OK, Bytes::from(body));
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn target(style: &str, market: &Market, after: usize, size: usize) -> String {
    format!("/{style}/markets/{}/products?after={after}&size={size}", encode(market.id()))
}

fn cursor(text: &str) -> Result<usize, String> {
    if text.is_empty() {
        return Ok(0);
    }
    text.strip_suffix(CURSOR_END)
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or_else(|| format!("{text:?} is not a cursor of this list"))
}

/// Appends a member that may be null, and the end of the object.
fn push_optional(body: &mut Vec<u8>, name: &str, value: Option<&str>) {
    body.extend_from_slice(format!(",\"{name}\":").as_bytes());
    match value {
        Some(text) => answers::push_string(body, text),
        None => body.extend_from_slice(b"null"),
    }
    body.push(b'}');
}
