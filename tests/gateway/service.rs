//! Sessions whose web services are hyper servers in this process, each behind an in-memory stream.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mizzen_gateway::{BoxFuture, DialError, Dialled, Target, Upstream, host_label};
use mizzen_tasks::Owner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{Semaphore, watch};

/// The sessions that exist. What dialling one of them leads to goes by its name.
const NAMES: [&str; 9] = [
    "web",
    "api",
    "Team.Docs",
    "stopped",
    "deaf",
    "gone",
    "cut-off",
    "asleep",
    "garbled",
];

/// The one on this machine.
pub(crate) const NEAR: &str = "api";

pub(crate) const FILE: &[u8] = b"0123456789";

pub(crate) struct Sessions {
    state: Arc<State>,
}

/// What tests steer and observe.
pub(crate) struct State {
    owner: Owner,
    /// One permit lets a `/stream` send its next piece.
    pub(crate) pieces: Semaphore,
    /// How many streams into sessions are open.
    pub(crate) open: watch::Sender<usize>,
    /// How many were opened so far.
    pub(crate) dialled: AtomicUsize,
    /// How often a first page was asked for.
    pub(crate) pages: watch::Sender<usize>,
}

impl Sessions {
    pub(crate) fn new(owner: &Owner) -> Self {
        let state = State {
            owner: owner.child("sessions"),
            pieces: Semaphore::new(0),
            open: watch::Sender::new(0),
            dialled: AtomicUsize::new(0),
            pages: watch::Sender::new(0),
        };
        Self {
            state: Arc::new(state),
        }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    fn serve(&self, session: &str, target: Target) -> Dialled {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (name, state) = (session.to_owned(), self.state.clone());
        self.state.owner.spawn("service", async move {
            state.open.send_modify(|open| *open += 1);
            if name == "garbled" {
                speak_no_http(far).await;
            } else {
                speak_http(far, &name, target, &state).await;
            }
            state.open.send_modify(|open| *open -= 1);
        });
        Dialled {
            io: Box::new(near),
            near: session == NEAR,
        }
    }
}

impl Upstream for Sessions {
    fn resolve(&self, label: &str) -> Option<String> {
        NAMES
            .into_iter()
            .find(|name| host_label(name) == label)
            .map(str::to_owned)
    }

    fn dial<'a>(
        &'a self,
        session: &'a str,
        target: Target,
    ) -> BoxFuture<'a, Result<Dialled, DialError>> {
        self.state.dialled.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match session {
                "stopped" => Err(DialError::NotRunning {
                    state: "stopped".to_owned(),
                }),
                "deaf" => Err(DialError::Refused {
                    reason: "<b>connection refused</b>".to_owned(),
                }),
                "gone" => Err(DialError::NoSession),
                "cut-off" => Err(DialError::Unreachable {
                    reason: "the engine is offline".to_owned(),
                }),
                "asleep" => std::future::pending().await,
                _ => Ok(self.serve(session, target)),
            }
        })
    }
}

async fn speak_no_http(mut io: DuplexStream) {
    let mut head = [0; 1024];
    let _ = io.read(&mut head).await;
    let _ = io.write_all(b"220 smtp.example ESMTP\r\n").await;
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

async fn speak_http(io: DuplexStream, session: &str, target: Target, state: &Arc<State>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (who, state) = (format!("{session} {target:?}"), state.clone());
        async move { Ok::<_, Infallible>(answer(&who, request, &state).await) }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades()
        .await;
}

async fn answer(who: &str, request: Request<Incoming>, state: &Arc<State>) -> Answer {
    if request.uri().path() == "/" {
        state.pages.send_modify(|pages| *pages += 1);
    }
    match request.uri().path() {
        "/healthz" => full(StatusCode::OK, r#"{"status":"alive"}"#),
        "/file" => file(&request),
        "/cookies" => cookies(),
        "/stream" => stream(state.clone()),
        "/upload" => upload(request).await,
        "/ws" => crate::websockets::accept(&state.owner, request),
        "/switch" => full(StatusCode::SWITCHING_PROTOCOLS, ""),
        "/endless-head" => endless_head(),
        "/never" => std::future::pending().await,
        _ => full(StatusCode::OK, &describe(who, &request)),
    }
}

pub(crate) fn full(status: StatusCode, body: &str) -> Answer {
    let mut response = Response::new(Full::from(body.to_owned()).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// What a session sees of a request.
fn describe(who: &str, request: &Request<Incoming>) -> String {
    let headers: BTreeMap<_, _> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    format!("{who}: {} {} {headers:?}", request.method(), request.uri())
}

fn file(request: &Request<Incoming>) -> Answer {
    let range = request
        .headers()
        .get(header::RANGE)
        .map(HeaderValue::as_bytes);
    if range != Some(b"bytes=2-4") {
        return full(StatusCode::OK, std::str::from_utf8(FILE).unwrap());
    }
    let mut response = full(
        StatusCode::PARTIAL_CONTENT,
        std::str::from_utf8(&FILE[2..5]).unwrap(),
    );
    response.headers_mut().insert(
        header::CONTENT_RANGE,
        HeaderValue::from_static("bytes 2-4/10"),
    );
    response
}

fn cookies() -> Answer {
    let mut response = full(StatusCode::OK, "");
    for cookie in [
        "login=1; Domain=localhost; Path=/",
        "theme=dark; HttpOnly",
        "mizzen-00c0ffee=x",
    ] {
        response
            .headers_mut()
            .append(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    response
}

/// Numbered pieces, one per permit, for ever.
fn stream(state: Arc<State>) -> Answer {
    let pieces = futures::stream::unfold((state, 0_u32), |(state, number)| async move {
        state.pieces.acquire().await.expect("never closed").forget();
        let piece = Frame::data(Bytes::from(format!("piece {number}\n")));
        Some((Ok::<_, Infallible>(piece), (state, number + 1)))
    });
    Response::new(StreamBody::new(pieces).boxed_unsync())
}

async fn upload(request: Request<Incoming>) -> Answer {
    let coding = format!("{:?}", request.headers().get(header::TRANSFER_ENCODING));
    match request.into_body().collect().await {
        Ok(body) => full(
            StatusCode::OK,
            &format!("{} bytes, {coding}", body.to_bytes().len()),
        ),
        Err(_) => full(StatusCode::BAD_REQUEST, "broken off"),
    }
}

/// A head far above what a gateway should hold in memory.
fn endless_head() -> Answer {
    let mut response = full(StatusCode::OK, "");
    for _ in 0..64 {
        response
            .headers_mut()
            .append("x-much", HeaderValue::try_from("x".repeat(4096)).unwrap());
    }
    response
}

/// A body of pieces, for a request without a length.
pub(crate) struct Pieces(pub(crate) std::collections::VecDeque<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}
