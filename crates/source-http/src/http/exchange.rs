//! Sends one request, follows its redirects and reads its answer, all within the limits.

use std::future::Future;

use bytes::{Bytes, BytesMut};
use price_cache_domain::{FailureClass, Fault};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url};
use tokio::time::{Instant, timeout_at};

use super::charset::to_utf8;
use super::coding::{ACCEPTED, CodingError, decode};
use super::trouble::{body_fault, request_fault};
use crate::config::LimitsConfig;

/// How much of a `Location` a message shows, in characters.
const LOCATION_SHOWN_CHARS: usize = 80;

/// One request, ready to be sent.
pub(crate) struct Call {
    /// The method.
    pub(crate) method: Method,
    /// Where to.
    pub(crate) url: Url,
    /// All its headers but those that the client adds.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Option<String>,
    /// The largest body of its answer, in bytes after decompression.
    pub(crate) body_bytes_max: u64,
    /// The key of that limit.
    pub(crate) body_limit: &'static str,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status, whatever it is.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body after decompression, as UTF-8 wherever its character set is known.
    pub(crate) body: Bytes,
    /// Where it came from, after redirects.
    pub(crate) url: Url,
}

/// Sends requests.
pub(crate) struct Exchanger {
    /// The client with its connections.
    pub(crate) client: Client,
    /// How long and how much.
    pub(crate) limits: LimitsConfig,
    /// The servers that redirects may lead to, besides the one that was asked.
    pub(crate) allowed: Vec<Url>,
}

/// Whether two URLs are of the same scheme, host and port.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

impl Exchanger {
    /// Sends the request and reads its answer.
    ///
    /// # Errors
    /// No answer came, or none within the limits. Any status is an answer.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, Fault> {
        let start = Instant::now();
        let total = start + self.limits.total.duration();
        let mut call = call;
        for _ in 0..=self.limits.redirects {
            let response = self.ask(&call, total).await?;
            match self.redirect(&response, &call)? {
                None => return self.answer(response, &call, total).await,
                Some(url) => {
                    // What is meant for one server is not told to another.
                    if !same_origin(&url, &call.url) {
                        keep_common(&mut call.headers);
                    }
                    let keeps_method = matches!(response.status().as_u16(), 307 | 308);
                    if !keeps_method && call.method == Method::POST {
                        call.method = Method::GET;
                        call.body = None;
                        call.headers.remove(CONTENT_TYPE);
                    }
                    call.url = url;
                }
            }
        }
        let limit = self.limits.redirects;
        Err(invalid(format!("more than {limit} redirects (source.limits.redirects)")))
    }

    /// One request up to the headers of its answer.
    async fn ask(&self, call: &Call, total: Instant) -> Result<Response, Fault> {
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        request.headers_mut().clone_from(&call.headers);
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        *request.body_mut() = call.body.clone().map(Into::into);
        let first_byte = Instant::now() + self.limits.first_byte.duration();
        let fault = if first_byte < total {
            let limit = self.limits.first_byte;
            format!("no answer within {limit} (source.limits.first_byte)")
        } else {
            self.total_message("no answer")
        };
        let answer = within(first_byte.min(total), self.client.execute(request), || fault).await?;
        let host = call.url.host_str().unwrap_or_default();
        // The URL of the error is the real one, secrets included.
        answer.map_err(|error| request_fault(&error.without_url(), host, &self.limits))
    }

    fn total_message(&self, what: &str) -> String {
        let limit = self.limits.total;
        format!("{what} within {limit} (source.limits.total)")
    }

    /// Where the answer says to go instead, if it does.
    fn redirect(&self, response: &Response, call: &Call) -> Result<Option<Url>, Fault> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(location) = location else {
            return Err(invalid("a redirect without a Location".to_owned()).with_status(status));
        };
        let shown: String = location.chars().take(LOCATION_SHOWN_CHARS).collect();
        let url = call
            .url
            .join(location)
            .map_err(|_| invalid(format!("a redirect to {shown:?}, which is no URL")).with_status(status))?;
        if same_origin(&url, &call.url) || self.allowed.iter().any(|allowed| same_origin(allowed, &url)) {
            return Ok(Some(url));
        }
        let origin = url.origin().ascii_serialization();
        let message = format!(
            "a redirect to another server; allow it with source.limits.allow_redirects_to = [{origin:?}]"
        );
        Err(invalid(message).with_status(status))
    }

    /// The whole answer.
    async fn answer(&self, response: Response, call: &Call, total: Instant) -> Result<Answer, Fault> {
        let status = response.status();
        let mut headers = response.headers().clone();
        let message = || self.total_message("the answer did not end");
        let plain = |body| plain(&mut headers, body, call);
        let body = match within(total, read(response, call), message).await.map(|read| read.and_then(plain)) {
            Ok(Ok(body)) => body,
            // The status says more than that the body behind it is broken.
            Ok(Err(_)) | Err(_) if !status.is_success() => Bytes::new(),
            Ok(Err(fault)) | Err(fault) => return Err(fault.with_status(status.as_u16())),
        };
        Ok(Answer { status, headers, body, url: call.url.clone() })
    }
}

/// The body without its compression, as UTF-8.
fn plain(headers: &mut HeaderMap, body: Bytes, call: &Call) -> Result<Bytes, Fault> {
    let limit = usize::try_from(call.body_bytes_max).unwrap_or(usize::MAX);
    let body = match decode(headers, &body, limit) {
        Ok(None) => body,
        Ok(Some(decoded)) => decoded.into(),
        Err(CodingError::TooLarge) => return Err(too_large(call)),
        Err(CodingError::Broken(reason)) => {
            return Err(invalid(format!("the body cannot be decompressed: {reason}")));
        }
    };
    let body = to_utf8(headers, body);
    if body.len() > limit { Err(too_large(call)) } else { Ok(body) }
}

fn too_large(call: &Call) -> Fault {
    invalid(format!("the body is larger than {} bytes ({})", call.body_bytes_max, call.body_limit))
}

/// The body as it was sent, counted as it comes. A body in one piece is not copied.
async fn read(mut response: Response, call: &Call) -> Result<Bytes, Fault> {
    let limit = call.body_bytes_max;
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large(call));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut length: u64 = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| body_fault(&error.without_url()))? {
        length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if length > limit {
            return Err(too_large(call));
        }
        if first.is_empty() {
            first = chunk;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&chunk);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

async fn within<T>(
    deadline: Instant,
    future: impl Future<Output = T>,
    message: impl FnOnce() -> String,
) -> Result<T, Fault> {
    timeout_at(deadline, future).await.map_err(|_| Fault::new(FailureClass::Timeout, message()))
}

/// Takes away all headers but those that say what the body is and should be.
fn keep_common(headers: &mut HeaderMap) {
    let kept = [CONTENT_TYPE, ACCEPT].map(|name| headers.get(&name).cloned().map(|value| (name, value)));
    *headers = kept.into_iter().flatten().collect();
}

fn invalid(message: String) -> Fault {
    Fault::new(FailureClass::InvalidAnswer, message)
}
