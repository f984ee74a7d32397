//! Faults that have nothing to do with what was asked: status codes, broken connections, unreadable bodies.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::{Answer, answers};
use crate::FaultKind;
use crate::body::{Abort, AnswerBody};
use crate::ledger::Ticket;
use crate::socket::Peer;

/// A dripping answer comes in about this many pieces.
const DRIP_PIECES: usize = 20;
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Please wait</title></head>\
    <body><h1>We will be right back</h1></body></html>\n";

/// What the client gets instead of `good`, or the same in a difficult way.
pub(super) async fn answer(
    kind: FaultKind,
    peer: &Arc<Peer>,
    good: Response<AnswerBody>,
    mut ticket: Option<Ticket>,
) -> Answer {
    let status = |code| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let spoiled = match kind {
        FaultKind::Status(code) => answers::error(status(code), "the simulator fails as configured"),
        FaultKind::RateLimited => rate_limited(None),
        FaultKind::RateLimitedSeconds(seconds) => rate_limited(Some(seconds.to_string())),
        FaultKind::RateLimitedDate(seconds) => {
            let at = SystemTime::now() + Duration::from_secs(u64::from(seconds));
            rate_limited(Some(httpdate::fmt_http_date(at)))
        }
        FaultKind::Reset => {
            peer.reset_when_closed();
            if let Some(ticket) = &mut ticket {
                ticket.completes();
            }
            return Err(Abort);
        }
        FaultKind::ResetMidBody => {
            peer.reset_when_closed();
            rewritten(good, |bytes| AnswerBody::cut(&bytes)).await?
        }
        FaultKind::Truncated => rewritten(good, |bytes| AnswerBody::cut(&bytes)).await?,
        FaultKind::Slow(delay_ms) => {
            tokio::time::sleep(Duration::from_millis(u64::from(delay_ms))).await;
            good
        }
        FaultKind::Drip(every_ms) => {
            let every = Duration::from_millis(u64::from(every_ms));
            rewritten(good, |bytes| {
                let piece_bytes = bytes.len().div_ceil(DRIP_PIECES);
                AnswerBody::drip(bytes, piece_bytes, every)
            })
            .await?
        }
        // The ticket is held by this future, so the request is in flight until the client gives up.
        FaultKind::Hang => pending().await,
        FaultKind::Html => answers::of(StatusCode::OK, "text/html", AnswerBody::whole(HTML)),
        FaultKind::Empty => answers::json(StatusCode::OK, Bytes::new()),
        FaultKind::BadJson
        | FaultKind::WrongCurrency
        | FaultKind::NullPrice
        | FaultKind::NegativePrice
        | FaultKind::NanPrice
        | FaultKind::CommaPrice
        | FaultKind::HugePrice => {
            let mut half = rewritten(good, |bytes| AnswerBody::whole(bytes.slice(..bytes.len() / 2))).await?;
            *half.status_mut() = StatusCode::OK;
            half
        }
    };
    Ok(match ticket {
        Some(ticket) => spoiled.map(|body| body.with_ticket(ticket)),
        None => spoiled,
    })
}

fn rate_limited(retry_after: Option<String>) -> Response<AnswerBody> {
    let mut response = answers::error(StatusCode::TOO_MANY_REQUESTS, "too many requests, as configured");
    if let Some(value) = retry_after.and_then(|text| HeaderValue::try_from(text).ok()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

/// The same answer with its bytes sent in another way.
async fn rewritten(good: Response<AnswerBody>, send: impl FnOnce(Bytes) -> AnswerBody) -> Answer {
    let (head, body) = good.into_parts();
    let bytes = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, send(bytes)))
}
