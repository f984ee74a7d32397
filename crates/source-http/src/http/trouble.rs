//! What a failed exchange means: the class of each failure, and a sentence that says what happened.

use std::error::Error;
use std::io;

use price_cache_domain::{FailureClass, Fault};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::retry_after::{Refusal, asks_to_wait, is_used_up, retry_after};
use crate::config::LimitsConfig;

/// The fault for a request that the client could not bring to an answer.
pub(super) fn request_fault(error: &reqwest::Error, host: &str, limits: &LimitsConfig) -> Fault {
    if error.is_timeout() && error.is_connect() {
        let limit = limits.connect;
        return Fault::new(
            FailureClass::Timeout,
            format!("no connection to {host} within {limit} (source.limits.connect)"),
        );
    }
    if error.is_dns() {
        return Fault::new(FailureClass::Transport, format!("the name of {host} cannot be resolved"));
    }
    if let Some(reason) = find::<rustls::Error>(error) {
        return Fault::new(FailureClass::Transport, format!("no TLS connection to {host}: {reason}"));
    }
    if error.is_connect() {
        let reason = match find::<io::Error>(error) {
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "the connection was refused".to_owned()
            }
            Some(error) => error.to_string(),
            None => root(error).to_string(),
        };
        return Fault::new(FailureClass::Transport, format!("cannot connect to {host}: {reason}"));
    }
    broken(error, "before its answer came").unwrap_or_else(|| {
        Fault::new(FailureClass::Transport, format!("the request to {host} failed: {}", root(error)))
    })
}

/// The fault for an answer whose body could not be read to its end.
pub(super) fn body_fault(error: &reqwest::Error) -> Fault {
    broken(error, "in the middle of its answer").unwrap_or_else(|| {
        let reason = root(error);
        Fault::new(FailureClass::InvalidAnswer, format!("the body cannot be read: {reason}"))
    })
}

/// The fault for what the connection itself did, where that is the cause.
fn broken(error: &reqwest::Error, when: &str) -> Option<Fault> {
    let transport = |what: &str| Fault::new(FailureClass::Transport, format!("the server {what} {when}"));
    let invalid = |what: String| Fault::new(FailureClass::InvalidAnswer, what);
    let error = find::<hyper::Error>(error)?;
    if error.is_parse_too_large() {
        return Some(invalid("the headers of the answer are too large".to_owned()));
    }
    if error.is_parse() {
        return Some(invalid(format!("the answer is not correct HTTP: {}", root(error))));
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Some(transport("closed the connection"));
    }
    let input = find::<io::Error>(error)?;
    Some(match input.kind() {
        io::ErrorKind::UnexpectedEof => transport("closed the connection"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            invalid(format!("the answer is not correct HTTP: {}", root(error)))
        }
        _ => transport("reset the connection"),
    })
}

/// The fault for a status that is not one of success. `said` is what the body says about it.
pub(crate) fn status_fault(status: StatusCode, headers: &HeaderMap, said: &str) -> Fault {
    use FailureClass::{Credentials, InvalidAnswer, NotFound, RateLimited, Rejected, ServerError, Timeout};
    let (class, hint) = match status.as_u16() {
        400 | 403 | 420 if asks_to_wait(headers) => (RateLimited, ""),
        403 if is_used_up(headers) => (RateLimited, ""),
        401 | 403 => (Credentials, "; check the key in source.headers"),
        407 => (Credentials, "; the proxy wants a user name and a password"),
        404 | 410 => (NotFound, ""),
        408 => (Timeout, ""),
        429 => (RateLimited, ""),
        503 if asks_to_wait(headers) => (RateLimited, ""),
        400..=499 => (Rejected, ""),
        500..=599 => (ServerError, ""),
        _ => (InvalidAnswer, ""),
    };
    let colon = if said.is_empty() { "" } else { ": " };
    let mut fault = Fault::new(class, format!("status {}{hint}{colon}{said}", status.as_u16()));
    fault.status_code = Some(status.as_u16());
    let refusal = if class == RateLimited { Refusal::Limited } else { Refusal::of(status.as_u16()) };
    fault.retry_after = retry_after(headers, refusal);
    fault
}

/// The first error of a type in the chain of causes, also inside of I/O errors.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // The source of an I/O error is the source of what it wraps, not that itself.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map_or_else(|| error.source(), |wrapped| Some(wrapped));
    }
    None
}

/// The innermost cause, which says most.
fn root<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_class() {
        use FailureClass::*;
        for (status, class) in [
            (400, Rejected),
            (401, Credentials),
            (403, Credentials),
            (404, NotFound),
            (407, Credentials),
            (408, Timeout),
            (409, Rejected),
            (410, NotFound),
            (422, Rejected),
            (429, RateLimited),
            (500, ServerError),
            (502, ServerError),
            (503, ServerError),
            (504, ServerError),
            (599, ServerError),
            (300, InvalidAnswer),
            (600, InvalidAnswer),
        ] {
            let fault = status_fault(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), "");
            assert_eq!((fault.failure.class(), fault.status_code), (class, Some(status)));
        }
    }

    #[test]
    fn a_503_that_says_when_to_come_back_is_a_limit() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "7".parse().unwrap());
        let fault = status_fault(StatusCode::SERVICE_UNAVAILABLE, &headers, "busy");
        assert_eq!(fault.failure.class(), FailureClass::RateLimited);
        assert_eq!(fault.retry_after.map(|wait| wait.as_secs()), Some(7));
        assert_eq!(fault.failure.message(), "status 503: busy");
    }
}
