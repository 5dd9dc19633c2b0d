//! HTTP to one engine: bollard speaks the calls through it, and streams are read here.
//!
//! bollard's own stream decoders buffer whatever an engine sends and take the payload of a TTY for
//! frame headers, so events, logs, statistics, builds and exec are decoded by this crate.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bollard::{BollardRequest, Docker};
use bytes::Bytes;
use futures::Stream;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::client::legacy;
use hyper_util::rt::TokioIo;
use mizzen_tasks::Owner;
use serde::de::DeserializeOwned;

use crate::DockerError;
use crate::deadline::within;
use crate::dial::{Conn, Dialer};

/// Request body as bollard builds it.
pub(crate) type Body = Either<
    Full<Bytes>,
    StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, io::Error>> + Send>>>,
>;

/// Bytes of an error answer that are read.
const ERROR_CAP: usize = 64 * 1024;

/// Bytes of an ordinary answer that are read.
const ANSWER_CAP: usize = 8 << 20;

/// Seconds after which bollard gives up by itself: never, as each call has its own deadline.
const NO_TIMEOUT: u64 = 365 * 24 * 3600;

/// Pooled HTTP connections to one engine; cheap to clone.
#[derive(Clone)]
pub(crate) struct Transport {
    client: legacy::Client<Dialer, Body>,
    opens_within: Duration,
}

/// A connection taken out of HTTP, with what the engine sent right behind its answer.
pub(crate) struct Hijacked {
    pub(crate) conn: Conn,
    pub(crate) first: Bytes,
}

impl Transport {
    pub(crate) fn new(owner: &Owner, dialer: Dialer) -> Self {
        let opens_within = dialer.deadline();
        let client = legacy::Client::builder(Spawn(owner.clone()))
            .pool_max_idle_per_host(4)
            .build(dialer);
        Self {
            client,
            opens_within,
        }
    }

    /// How long opening a connection may take. The deadlines of calls are made for one that is open.
    pub(crate) fn opens_within(&self) -> Duration {
        self.opens_within
    }

    /// Makes a bollard client over this transport.
    pub(crate) fn bollard(&self) -> Docker {
        let client = self.client.clone();
        let send = move |request: BollardRequest| {
            let answer = client.request(request);
            async move { answer.await.map_err(bollard::errors::Error::from) }
        };
        Docker::connect_with_custom_transport(
            send,
            Some("http://engine"),
            NO_TIMEOUT,
            bollard::API_DEFAULT_VERSION,
        )
        .expect("BUG: bollard only stores what it is given here")
    }

    /// Sends a request and reads its answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        op: &'static str,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<T, DockerError> {
        within(op, limit, async {
            let body = self.open(op, method, path, body).await?.into_body();
            let answer = Limited::new(body, ANSWER_CAP).collect().await;
            let bytes = answer.map_err(|e| DockerError::broken(op, &*e))?.to_bytes();
            serde_json::from_slice(&bytes)
                .map_err(|e| DockerError::server(op, format!("its answer makes no sense: {e}")))
        })
        .await
    }

    /// Sends a request whose answer is a stream; an error status becomes a [`DockerError`].
    pub(crate) async fn open(
        &self,
        op: &'static str,
        method: Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<Response<Incoming>, DockerError> {
        let json = body.map_or_else(Bytes::new, |value| Bytes::from(value.to_string()));
        self.send(
            op,
            request(method, path).header(header::CONTENT_TYPE, JSON),
            json,
        )
        .await
    }

    /// Sends a tar archive.
    pub(crate) async fn open_with_tar(
        &self,
        op: &'static str,
        method: Method,
        path: &str,
        tar: Bytes,
    ) -> Result<Response<Incoming>, DockerError> {
        self.send(
            op,
            request(method, path).header(header::CONTENT_TYPE, TAR),
            tar,
        )
        .await
    }

    async fn send(
        &self,
        op: &'static str,
        request: hyper::http::request::Builder,
        body: Bytes,
    ) -> Result<Response<Incoming>, DockerError> {
        let request = request
            .body(Either::Left(Full::new(body)))
            .map_err(|e| DockerError::bad_request(op, format!("not a valid request: {e}")))?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|e| from_legacy(op, &e))?;
        let status = response.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        Err(DockerError::from_status(
            op,
            status.as_u16(),
            &error_text(response).await,
        ))
    }

    /// Sends a request that turns its connection into a raw byte stream.
    pub(crate) async fn hijack(
        &self,
        op: &'static str,
        path: &str,
        body: serde_json::Value,
    ) -> Result<Hijacked, DockerError> {
        let request = request(Method::POST, path)
            .header(header::CONTENT_TYPE, JSON)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "tcp");
        let response = self
            .send(op, request, Bytes::from(body.to_string()))
            .await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(DockerError::server(
                op,
                "the engine did not switch to a raw stream",
            ));
        }
        let upgraded = hyper::upgrade::on(response)
            .await
            .map_err(|e| DockerError::broken(op, &e))?;
        let parts = upgraded
            .downcast::<TokioIo<Conn>>()
            .expect("BUG: every connection is made by our dialer");
        Ok(Hijacked {
            conn: parts.io.into_inner(),
            first: parts.read_buf,
        })
    }
}

const JSON: &str = "application/json";
const TAR: &str = "application/x-tar";

/// Writes query parameters.
pub(crate) fn url_encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// Starts a request; paths carry no version, so each engine answers in its newest.
fn request(method: Method, path: &str) -> hyper::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("http://engine{path}"))
}

/// Reads the engine's own words about a failure.
async fn error_text(response: Response<Incoming>) -> String {
    let bytes = match Limited::new(response.into_body(), ERROR_CAP)
        .collect()
        .await
    {
        Ok(body) => body.to_bytes(),
        Err(_) => return "an answer that could not be read".to_owned(),
    };
    let json = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
    match json
        .as_ref()
        .and_then(|v| v.get("message"))
        .and_then(serde_json::Value::as_str)
    {
        Some(message) => message.to_owned(),
        None => String::from_utf8_lossy(&bytes).trim().to_owned(),
    }
}

/// Tells a failed dial from a connection that broke.
pub(crate) fn from_legacy(op: &'static str, error: &legacy::Error) -> DockerError {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && error.is_connect()
        {
            return DockerError::no_connection(op, io);
        }
        source = inner.source();
    }
    DockerError::broken(op, error)
}

/// Runs hyper's connection tasks under the engine's owner.
#[derive(Clone)]
struct Spawn(Owner);

impl<F> hyper::rt::Executor<F> for Spawn
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("http", future);
    }
}
