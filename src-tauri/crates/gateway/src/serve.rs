//! Accepts browsers and answers each of their requests.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mizzen_tasks::Owner;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::gateway::{Clock, Limits};
use crate::guard::{Guard, Verdict};
use crate::proxy::{self, Answer, HEAD_MAX, HEADERS_MAX};
use crate::upstream::Upstream;

/// How long to wait when the system is out of sockets or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What every connection needs.
pub(crate) struct Shared {
    pub(crate) owner: Owner,
    /// Cancelled when the gateway closes: listeners and tunnels end, answers under way do not.
    pub(crate) closing: CancellationToken,
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    connections: Arc<Semaphore>,
    // A std lock: held for one look-up, never across an await.
    streams: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Shared {
    pub(crate) fn new(
        owner: Owner,
        upstream: Arc<dyn Upstream>,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        let connections = Arc::new(Semaphore::new(limits.connections));
        let closing = owner.stopping().child_token();
        Self {
            owner,
            closing,
            upstream,
            clock,
            limits,
            connections,
            streams: Mutex::default(),
        }
    }

    /// Takes one of a session's places; none when all are taken.
    pub(crate) fn enter(&self, session: &str) -> Option<OwnedSemaphorePermit> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        // Sessions come and go: those that nobody is in are forgotten.
        streams.retain(|_, places| places.available_permits() < self.limits.streams_per_session);
        let places = streams
            .entry(session.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(self.limits.streams_per_session)));
        places.clone().try_acquire_owned().ok()
    }
}

/// Starts one accepting task per socket of a door.
pub(crate) fn start(shared: &Arc<Shared>, guard: &Arc<Guard>, sockets: Vec<TcpListener>) {
    for socket in sockets {
        let (shared, guard) = (shared.clone(), guard.clone());
        shared.owner.clone().spawn("accept", async move {
            shared
                .closing
                .clone()
                .run_until_cancelled(accept(&shared, &guard, socket))
                .await;
        });
    }
}

/// Stops accepting and waits until every connection has ended, at most for `deadline`.
pub(crate) async fn close(shared: &Shared, deadline: Duration) {
    shared.closing.cancel();
    let all = u32::try_from(shared.limits.connections).unwrap_or(u32::MAX);
    let ended = shared.connections.acquire_many(all);
    if tokio::time::timeout(deadline, ended).await.is_err() {
        tracing::debug!("answers under way are cut off");
    }
}

async fn accept(shared: &Arc<Shared>, guard: &Arc<Guard>, socket: TcpListener) {
    loop {
        // A place first: beyond the limit, browsers wait in the system's queue.
        let Ok(place) = shared.connections.clone().acquire_owned().await else {
            return;
        };
        match socket.accept().await {
            Ok((stream, _)) => {
                let (shared, guard) = (shared.clone(), guard.clone());
                shared.owner.clone().spawn("connection", async move {
                    serve(&shared, &guard, stream).await;
                    drop(place);
                });
            }
            Err(cause) => {
                tracing::debug!(%cause, "accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(shared: &Arc<Shared>, guard: &Arc<Guard>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let (shared, guard) = (shared.clone(), guard.clone());
        async move { Ok::<_, Infallible>(respond(&shared, &guard, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.request_head)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "browser connection");
    }
}

async fn respond(
    shared: &Arc<Shared>,
    guard: &Guard,
    request: Request<Incoming>,
) -> Response<Answer> {
    let (head, body) = request.into_parts();
    let verdict = guard.judge(&head, (shared.clock)());
    let request = Request::from_parts(head, body);
    let refusal = match verdict {
        Verdict::Redirect { location, cookie } => return redirect(&location, cookie.as_deref()),
        Verdict::Refuse(refusal) => refusal,
        Verdict::Forward(address) => match proxy::carry(shared, guard, &address, request).await {
            Ok(response) => return response,
            Err(refusal) => refusal,
        },
    };
    // Neither the request's head nor a location is logged: they may hold a token or a cookie.
    tracing::debug!(?refusal, "refused");
    refusal.page().map(Either::Left)
}

fn redirect(location: &str, cookie: Option<&str>) -> Response<Answer> {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::LOCATION, Some(location)),
        (header::SET_COOKIE, cookie),
        (header::REFERRER_POLICY, Some("no-referrer")),
        (header::CACHE_CONTROL, Some("no-store")),
    ] {
        if let Some(value) = value {
            headers.insert(
                name,
                HeaderValue::try_from(value).expect("BUG: from a checked URI and our own text"),
            );
        }
    }
    response
}
