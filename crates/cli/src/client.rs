//! A small HTTP/1.1 client for the JSON of a price cache: one connection per request, with limits on everything.

mod address;
mod api_key;
mod error;
mod target;

use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use price_cache_api_types::{Health, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub use address::{AddressError, ServerAddress};
pub use api_key::{ApiKey, ApiKeyError};
pub use error::ClientError;
pub use target::Target;

/// How long and how much a client waits for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for a connection, name resolution included.
    pub connect_timeout: Duration,
    /// Time from the connection to the last byte of the answer.
    pub answer_timeout: Duration,
    /// Longest answer, in bytes.
    pub answer_length_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(30),
            answer_length_max: 64 * 1024 * 1024,
        }
    }
}

/// Asks one server.
#[derive(Clone, Debug)]
pub struct Client {
    server: ServerAddress,
    key: Option<ApiKey>,
    limits: Limits,
}

/// An answer with a status of success.
#[derive(Clone, Debug)]
pub struct Answer {
    server: ServerAddress,
    body: Bytes,
}

impl Answer {
    /// The answer exactly as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The answer, read as `T`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|source| ClientError::Malformed { server: self.server.clone(), source })
    }
}

impl Client {
    /// A client of this server.
    #[must_use]
    pub const fn new(server: ServerAddress, key: Option<ApiKey>, limits: Limits) -> Self {
        Self { server, key, limits }
    }

    /// The server that is asked.
    #[must_use]
    pub const fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Reads.
    ///
    /// # Errors
    /// Whenever there is no answer with a status of success.
    pub async fn get(&self, target: &Target) -> Result<Answer, ClientError> {
        self.ask(Method::GET, target, None).await
    }

    /// Deletes.
    ///
    /// # Errors
    /// Whenever there is no answer with a status of success.
    pub async fn delete(&self, target: &Target) -> Result<Answer, ClientError> {
        self.ask(Method::DELETE, target, None).await
    }

    /// Gives a command, without a body.
    ///
    /// # Errors
    /// Whenever there is no answer with a status of success.
    pub async fn post(&self, target: &Target) -> Result<Answer, ClientError> {
        self.ask(Method::POST, target, None).await
    }

    /// Gives a command, with a JSON body.
    ///
    /// # Errors
    /// Whenever there is no answer with a status of success.
    pub async fn post_json(&self, target: &Target, body: &impl Serialize) -> Result<Answer, ClientError> {
        let body = serde_json::to_vec(body)
            .map_err(|source| ClientError::Request { target: target.to_string(), source: source.into() })?;
        self.ask(Method::POST, target, Some(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        target: &Target,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ClientError> {
        let request = self.request(method, target, body)?;
        let stream = self.connect().await?;
        let (status, body) = timeout(self.limits.answer_timeout, self.exchange(stream, request))
            .await
            .map_err(|_| ClientError::AnswerTimeout {
                server: self.server.clone(),
                timeout: self.limits.answer_timeout,
            })??;
        if (200..300).contains(&status) {
            return Ok(Answer { server: self.server.clone(), body });
        }
        let problem = serde_json::from_slice::<Problem>(&body).or_else(|_| {
            let health: Health = serde_json::from_slice(&body)?;
            Ok(Problem::new(status, "", health.detail.unwrap_or_default()))
        });
        Err(match problem {
            Ok(problem) => ClientError::Problem(Box::new(Problem { status, ..problem })),
            Err::<_, serde_json::Error>(_) => ClientError::Foreign { server: self.server.clone(), status },
        })
    }

    fn request(
        &self,
        method: Method,
        target: &Target,
        body: Option<Vec<u8>>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut builder = Request::builder()
            .method(&method)
            .uri(format!("{}{target}", self.server.prefix()))
            .header(HOST, self.server.authority())
            .header(USER_AGENT, concat!("price-cache/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, HeaderValue::from_static("close"))
            .header(ACCEPT, HeaderValue::from_static("application/json, application/problem+json"));
        if let Some(key) = &self.key {
            builder = builder.header(AUTHORIZATION, key.header());
        }
        if body.is_some() {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if method == Method::POST {
            // Without it some proxies refuse a POST with 411.
            builder = builder.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        builder
            .body(Full::from(body.unwrap_or_default()))
            .map_err(|source| ClientError::Request { target: target.to_string(), source: source.into() })
    }

    async fn connect(&self) -> Result<TcpStream, ClientError> {
        let limit = self.limits.connect_timeout;
        match timeout(limit, TcpStream::connect((self.server.host(), self.server.port()))).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(source)) => Err(ClientError::Connect { server: self.server.clone(), source }),
            Err(_) => Err(ClientError::ConnectTimeout { server: self.server.clone(), timeout: limit }),
        }
    }

    async fn exchange(
        &self,
        stream: TcpStream,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Bytes), ClientError> {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(error))?;
        // The connection ends by itself when the sender and the body are dropped, also when a timeout drops them.
        tokio::spawn(connection);
        let response: Response<Incoming> =
            sender.send_request(request).await.map_err(|error| self.broken(error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), self.limits.answer_length_max);
        match body.collect().await {
            Ok(collected) => Ok((status, collected.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(ClientError::TooLong {
                server: self.server.clone(),
                length_max: self.limits.answer_length_max,
            }),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
        ClientError::Broken { server: self.server.clone(), source: error.into() }
    }
}

#[cfg(test)]
mod tests;
