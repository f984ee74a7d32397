//! Reading what a client sent: ids in the path, parameters of the query, small JSON bodies. Every mistake
//! is answered with its name.

use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use price_cache_domain::{MarketId, ProductId};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde_json::Error;

use crate::app::App;
use crate::problem::Problem;

/// The parameters of a query, each of which must be known.
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| Problem::bad_request(format!("the query cannot be read: {error}")))
    }
}

impl Parameters {
    /// Refuses parameters that are not among `known`, and any that is given twice.
    pub(crate) fn only(self, known: &[&str]) -> Result<Self, Problem> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Problem::bad_request(format!(
                    "there is no query parameter {name:?} here; known: {known}"
                )));
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::bad_request(format!("query parameter {name:?} is given twice")));
            }
        }
        Ok(self)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number from 1 to `max`.
    pub(crate) fn count(&self, name: &str, max: usize) -> Result<Option<usize>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let count = text.parse().ok().filter(|count| (1..=max).contains(count));
        count.map(Some).ok_or_else(|| {
            Problem::bad_request(format!(
                "query parameter {name} must be a whole number from 1 to {max}, not {text:?}"
            ))
        })
    }

    /// Anything that can be parsed, such as an id or a failure class.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let parsed = self.text(name).map(parse).transpose();
        parsed.map_err(|error| Problem::bad_request(format!("query parameter {name}: {error}")))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.parsed(name, |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("must be true or false, not {other:?}")),
        })
    }
}

/// The `{market}` of a path.
pub(crate) struct MarketInPath(pub(crate) MarketId);

/// The `{market}` and `{product}` of a path.
pub(crate) struct PairInPath(pub(crate) MarketId, pub(crate) ProductId);

/// A path parameter with percent-encoding undone.
async fn path_parameter<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|error| Problem::bad_request(format!("the path is not UTF-8 once decoded: {error}")))?;
    let found = parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    found.ok_or_else(|| Problem::not_found("there is nothing at this path"))
}

impl<S: Send + Sync> FromRequestParts<S> for MarketInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = path_parameter(parts, state, "market").await?;
        let market = MarketId::new(text);
        market.map(Self).map_err(|error| Problem::bad_request(format!("the market in the path: {error}")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PairInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let MarketInPath(market) = MarketInPath::from_request_parts(parts, state).await?;
        let text = path_parameter(parts, state, "product").await?;
        let product = ProductId::new(text)
            .map_err(|error| Problem::bad_request(format!("the product in the path: {error}")))?;
        Ok(Self(market, product))
    }
}

/// How much of a body that is too large is still read and dropped. A client that is answered before it
/// has sent everything may never see the answer.
const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// How long that may take.
const DROPPING_TIME_MAX: Duration = Duration::from_millis(500);

/// Reads a body within the limits of size and time.
async fn read_body(app: &App, request: Request<axum::body::Body>) -> Result<Bytes, Problem> {
    let limits = app.options.limits;
    let mut body = request.into_body();
    // A client that announces too much and waits for permission does not get it.
    if body.size_hint().lower() > (limits.body_bytes_max + DROPPED_BYTES_MAX) as u64 {
        return Err(too_large(limits.body_bytes_max));
    }
    let reading = async {
        let mut read = BytesMut::new();
        while let Some(data) = next_data(&mut body).await? {
            if read.len() + data.len() > limits.body_bytes_max {
                let _ = tokio::time::timeout(DROPPING_TIME_MAX, drop_rest(&mut body)).await;
                return Err(too_large(limits.body_bytes_max));
            }
            read.extend_from_slice(&data);
        }
        Ok(read.freeze())
    };
    tokio::time::timeout(limits.body_time_max, reading).await.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", limits.body_time_max.as_secs_f32()),
        ))
    })
}

/// The next piece of a body; trailers are nothing.
async fn next_data(body: &mut axum::body::Body) -> Result<Option<Bytes>, Problem> {
    let frame = body.frame().await.transpose();
    let frame = frame.map_err(|error| Problem::bad_request(format!("the body cannot be read: {error}")))?;
    Ok(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

async fn drop_rest(body: &mut axum::body::Body) {
    let mut left = DROPPED_BYTES_MAX;
    while let Ok(Some(data)) = next_data(body).await
        && left > data.len()
    {
        left -= data.len();
    }
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {bytes_max} bytes"))
}

/// The JSON body of a request, or the default where there is none.
pub(crate) async fn optional_json<T: DeserializeOwned + Default>(
    app: &App,
    request: Request<axum::body::Body>,
) -> Result<T, Problem> {
    let media_type = request.headers().get(CONTENT_TYPE).cloned();
    let body = read_body(app, request).await?;
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    let is_json = media_type.as_ref().and_then(|value| value.to_str().ok()).is_none_or(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    });
    if !is_json {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON, with content-type application/json",
        ));
    }
    // Structs would also be read from lists of their members.
    let parsed = if body.trim_ascii().starts_with(b"{") {
        serde_json::from_slice(&body)
    } else {
        serde_json::from_slice(&body).and_then(|_: IgnoredAny| Err(Error::custom("it must be a JSON object")))
    };
    parsed.map_err(|error| {
        // Well-formed JSON that says something else than it may is 422, broken JSON is 400.
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Problem::new(status, format!("the body: {error}"))
    })
}

/// For requests that take no body; `{}`, which some clients always send, says nothing either.
pub(crate) async fn no_body(app: &App, request: Request<axum::body::Body>) -> Result<(), Problem> {
    let body = read_body(app, request).await?;
    match body.trim_ascii() {
        b"" | b"{}" | b"null" => Ok(()),
        _ => Err(Problem::bad_request("this request takes no body")),
    }
}
