//! Carries one request into a session and its answer back.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mizzen_tasks::Task;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::address::{Address, Target};
use crate::forward::{self, Host};
use crate::guard::Guard;
use crate::page::Refusal;
use crate::serve::Shared;
use crate::upstream::{DialError, Dialled};

/// Longest head, and read buffer of one connection, on either side.
pub(crate) const HEAD_MAX: usize = 64 * 1024;
/// Most headers in one head, on either side.
pub(crate) const HEADERS_MAX: usize = 128;
/// Buffer of a websocket in each direction.
const TUNNEL_BUFFER: usize = 16 * 1024;

/// What the gateway answers: a page of its own, or a session's bytes.
pub(crate) type Answer = Either<Full<Bytes>, Carried>;

type Sender = http1::SendRequest<Moving>;

/// Hands a request to the session that it is for.
pub(crate) async fn carry(
    shared: &Arc<Shared>,
    guard: &Guard,
    address: &Address,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    let session = shared
        .upstream
        .resolve(&address.label)
        .ok_or(Refusal::NoSession)?;
    let permit = shared.enter(&session).ok_or_else(|| Refusal::Busy {
        session: session.clone(),
    })?;
    let dialled = dial(shared, &session, address.target).await?;
    let near = dialled.near;
    let (mut sender, connection) = open(shared, &session, dialled, permit).await?;

    let browser =
        forward::asks_for_websocket(request.headers()).then(|| hyper::upgrade::on(&mut request));
    let (mut head, body) = request.into_parts();
    let host = Host {
        authority: guard.door().authority(address),
        cookie_prefix: guard.cookies.prefix(),
    };
    forward::to_session(&mut head, &host);
    if near {
        forward::ask_for_plain(&mut head.headers);
    }
    let moved = Arc::new(AtomicBool::new(false));
    let request = Request::from_parts(
        head,
        Moving {
            inner: body,
            moved: moved.clone(),
        },
    );
    let response = answer(shared, &session, sender.send_request(request), &moved).await?;

    match (response.status(), browser) {
        (StatusCode::SWITCHING_PROTOCOLS, Some(browser)) => {
            Ok(join(shared, &session, &host, response, browser, connection))
        }
        // Nobody asked to switch: whatever follows is not HTTP.
        (StatusCode::SWITCHING_PROTOCOLS, None) => Err(Refusal::Garbled { session }),
        _ => {
            let (mut head, inner) = response.into_parts();
            forward::to_browser(&mut head.headers, &host, false);
            Ok(Response::from_parts(
                head,
                Either::Right(Carried {
                    inner,
                    _connection: connection,
                }),
            ))
        }
    }
}

/// A connection into a session; dropping it closes the stream and frees its place.
struct Connection {
    _task: Task,
    _permit: OwnedSemaphorePermit,
}

/// Speaks HTTP on a stream to the service.
async fn open(
    shared: &Shared,
    session: &str,
    dialled: Dialled,
    permit: OwnedSemaphorePermit,
) -> Result<(Sender, Connection), Refusal> {
    let (sender, driver) = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(dialled.io))
        .await
        .map_err(|_| Refusal::Garbled {
            session: session.to_owned(),
        })?;
    let task = shared.owner.spawn_held("upstream", async move {
        // What goes wrong here the sender learns too.
        let _ = driver.with_upgrades().await;
    });
    Ok((
        sender,
        Connection {
            _task: task,
            _permit: permit,
        },
    ))
}

async fn dial(shared: &Shared, session: &str, target: Target) -> Result<Dialled, Refusal> {
    let session = session.to_owned();
    let dialled = match timeout(shared.limits.dial, shared.upstream.dial(&session, target)).await {
        Ok(dialled) => dialled,
        Err(_) => return Err(Refusal::Silent { session }),
    };
    dialled.map_err(|cause| match cause {
        DialError::NoSession => Refusal::NoSession,
        DialError::NotRunning { state } => Refusal::NotRunning { session, state },
        DialError::Refused { reason } => Refusal::NothingListens { session, reason },
        DialError::Unreachable { reason } => Refusal::Unreachable { session, reason },
    })
}

/// Waits for the head of the answer, as long as the request still moves.
async fn answer(
    shared: &Shared,
    session: &str,
    response: impl Future<Output = hyper::Result<Response<Incoming>>>,
    moved: &AtomicBool,
) -> Result<Response<Incoming>, Refusal> {
    let mut response = pin!(response);
    loop {
        match timeout(shared.limits.response_head, &mut response).await {
            Ok(answered) => {
                return answered.map_err(|_| Refusal::Garbled {
                    session: session.to_owned(),
                });
            }
            // Known here: no head for a whole period. An upload under way excuses that, silence does not.
            Err(_) if moved.swap(false, Ordering::Relaxed) => {}
            Err(_) => {
                return Err(Refusal::Silent {
                    session: session.to_owned(),
                });
            }
        }
    }
}

/// Answers 101 and, once both sides have switched, lets bytes through until one side ends.
fn join(
    shared: &Arc<Shared>,
    session: &str,
    host: &Host,
    mut response: Response<Incoming>,
    browser: OnUpgrade,
    connection: Connection,
) -> Response<Answer> {
    let service = hyper::upgrade::on(&mut response);
    let closing = shared.closing.clone();
    shared
        .owner
        .spawn(&format!("tunnel:{session}"), async move {
            let _connection = connection;
            let tunnel = async {
                let (browser, service) = tokio::try_join!(browser, service).ok()?;
                let (mut browser, mut service) = (TokioIo::new(browser), TokioIo::new(service));
                tokio::io::copy_bidirectional_with_sizes(
                    &mut browser,
                    &mut service,
                    TUNNEL_BUFFER,
                    TUNNEL_BUFFER,
                )
                .await
                .ok()
            };
            closing.run_until_cancelled(tunnel).await;
        });
    let (mut head, _) = response.into_parts();
    forward::to_browser(&mut head.headers, host, true);
    Response::from_parts(head, Either::Left(Full::default()))
}

/// A request's body that tells when it moves.
pub(crate) struct Moving {
    inner: Incoming,
    moved: Arc<AtomicBool>,
}

impl Body for Moving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if polled.is_ready() {
            self.moved.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer's body; the connection behind it ends with it.
pub(crate) struct Carried {
    inner: Incoming,
    _connection: Connection,
}

impl Body for Carried {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
