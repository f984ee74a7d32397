//! A small client that keeps one connection, and one that sees the bare bytes.

use std::io;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, IF_NONE_MATCH};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use price_cache_simulator::Handle;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// One keep-alive connection.
pub(crate) struct Client {
    sender: SendRequest<Full<bytes::Bytes>>,
    pub(crate) bearer: Option<&'static str>,
}

impl Client {
    pub(crate) async fn of(simulator: &Handle) -> Self {
        let stream = TcpStream::connect(simulator.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, bearer: None }
    }

    pub(crate) async fn get(&mut self, target: &str) -> Reply {
        self.request("GET", target, "").await.unwrap()
    }

    pub(crate) async fn post(&mut self, target: &str, body: &str) -> Reply {
        self.request("POST", target, body).await.unwrap()
    }

    pub(crate) async fn get_unless(&mut self, target: &str, etag: &str) -> Reply {
        let request = Request::get(target).header(HOST, "simulator").header(IF_NONE_MATCH, etag);
        self.send(request.body(Full::default()).unwrap()).await.unwrap()
    }

    pub(crate) async fn request(
        &mut self,
        method: &str,
        target: &str,
        body: &str,
    ) -> Result<Reply, hyper::Error> {
        let mut request = Request::builder().method(method).uri(target).header(HOST, "simulator");
        if let Some(token) = self.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Full::from(body.to_owned())).unwrap()).await
    }

    async fn send(&mut self, request: Request<Full<bytes::Bytes>>) -> Result<Reply, hyper::Error> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Ok(Reply { status: head.status, headers: head.headers, text })
    }
}

/// Sends a GET without waiting for its answer.
pub(crate) async fn begin(address: SocketAddr, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: simulator\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

/// All bytes of an answer up to the end of the connection, and how it ended.
pub(crate) async fn bare(address: SocketAddr, target: &str) -> (String, io::Result<()>) {
    let mut stream = begin(address, target).await;
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(|_| ());
    (String::from_utf8(bytes).unwrap(), end)
}
