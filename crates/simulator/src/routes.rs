//! From a request to its route.

mod answers;
mod control;
mod dialect;
mod fault_answers;
mod listing;
mod lists;
mod price;
mod purge;
mod target;

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, IF_NONE_MATCH};
use hyper::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;

use self::dialect::{Dialect, Form};
use self::listing::Pagination;
use self::price::Ask;
use self::target::Query;
use crate::body::{Abort, AnswerBody};
use crate::shared::Shared;
use crate::socket::Peer;

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

type Answer = Result<Response<AnswerBody>, Abort>;

/// What a route needs besides the request.
struct Call {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    /// The request lacks the required `Authorization`.
    denied: bool,
}

/// Answers one request.
pub(crate) async fn answer(shared: Arc<Shared>, peer: Arc<Peer>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let Some(segments) = target::segments(head.uri.path()) else {
        return Ok(answers::error(StatusCode::BAD_REQUEST, "the path is not percent-encoded UTF-8"));
    };
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let Some(query) = Query::parse(head.uri.query().unwrap_or_default()) else {
        return Ok(answers::error(StatusCode::BAD_REQUEST, "the query is not percent-encoded UTF-8"));
    };
    let authorised = shared.authorization.as_ref().is_none_or(|expected| {
        head.headers.get(AUTHORIZATION).is_some_and(|found| found.as_bytes() == expected.as_bytes())
    });
    let call = Call { shared, peer, denied: !authorised };
    let if_none_match = head.headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let ask = |market, product, dialect, if_none_match| {
        Form::of(&query).map(|form| Ask { market, product, dialect, form, if_none_match })
    };

    match (head.method.as_str(), segments.as_slice()) {
        ("GET", ["markets", market, "products", product, "price"]) => {
            match ask(*market, *product, Dialect::Plain, if_none_match) {
                Ok(ask) => price::answer(&call, ask).await,
                Err(message) => bad_request(&message),
            }
        }
        ("GET", ["envelope", "markets", market, "products", product]) => {
            match ask(*market, *product, Dialect::Envelope, if_none_match) {
                Ok(ask) => price::answer(&call, ask).await,
                Err(message) => bad_request(&message),
            }
        }
        ("POST", ["prices"]) => match read_json::<price::PairBody>(body).await {
            Ok(pair) => match ask(&pair.market, &pair.product, Dialect::Plain, None) {
                Ok(ask) => price::answer(&call, ask).await,
                Err(message) => bad_request(&message),
            },
            Err(message) => bad_request(&message),
        },
        ("POST", ["graphql"]) => match read_json::<price::GraphQlBody>(body).await {
            Ok(body) => price::graphql(&call, &body).await,
            Err(message) => bad_request(&message),
        },
        ("GET", ["markets"]) => lists::markets(&call, false).await,
        ("GET", ["markets", "plain"]) => lists::markets(&call, true).await,
        ("GET", ["all", "products"]) => lists::all_products(&call).await,
        ("GET", ["markets", market, "products"]) => {
            listing::answer(&call, market, Pagination::Page, &query).await
        }
        ("GET", [style, "markets", market, "products"]) => match Pagination::named(style) {
            Some(pagination) => listing::answer(&call, market, pagination, &query).await,
            None => not_found(),
        },
        ("PURGE", ["cdn", rest @ ..]) => purge::by_path(&call, rest).await,
        ("POST", ["purge"]) => match read_bytes(body).await {
            Ok(bytes) => purge::by_body(&call, &query, &bytes).await,
            Err(message) => bad_request(&message),
        },
        ("GET", ["healthz"]) => Ok(answers::json(StatusCode::OK, &br#"{"status":"ok"}"#[..])),
        (_, ["control", rest @ ..]) => match read_bytes(body).await {
            Ok(bytes) => Ok(control::answer(&call.shared, &head.method, rest, &bytes)),
            Err(message) => bad_request(&message),
        },
        _ => not_found(),
    }
}

fn bad_request(message: &str) -> Answer {
    Ok(answers::error(StatusCode::BAD_REQUEST, message))
}

fn not_found() -> Answer {
    Ok(answers::error(StatusCode::NOT_FOUND, "there is no such route, or not with this method"))
}

async fn read_bytes(body: Incoming) -> Result<bytes::Bytes, String> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(format!("reading the body: {error}")),
    }
}

async fn read_json<T: DeserializeOwned>(body: Incoming) -> Result<T, String> {
    let bytes = read_bytes(body).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("the body is not what this route expects: {error}"))
}
