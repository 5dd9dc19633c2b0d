//! One client's connection: reads requests, runs them side by side, writes what they say.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use futures::future::{AbortHandle, abortable};
use futures::stream::{FuturesUnordered, StreamExt};
use interprocess::local_socket::tokio::Stream;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use super::frame::{Body, Call, Greeting, PROTOCOL, REQUEST_BYTES_MAX, Request, Response};
use super::{request, socket};
use crate::desk::Desk;
use crate::verb::{ApiError, ErrorCode};

/// Requests of one connection under way at once; the rest wait in the socket.
const REQUESTS_MAX: usize = 64;
/// Lines that wait for a client to read. Requests of a slower client wait with them, and its
/// events are dropped (`Lagged`): the core itself never waits.
const LINES_QUEUED_MAX: usize = 64;

pub(super) type Lines<R> = FramedRead<R, LinesCodec>;

/// Where a request says what it has to say.
#[derive(Clone)]
pub(super) struct Out {
    id: u64,
    queue: mpsc::Sender<Vec<u8>>,
}

/// The connection has ended.
pub(super) struct Gone;

impl Out {
    pub(super) async fn say(&self, body: Body) -> Result<(), Gone> {
        self.queue
            .send(line(&Response { id: self.id, body }))
            .await
            .map_err(|_| Gone)
    }
}

pub(super) fn line<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("BUG: views are plain values");
    bytes.push(b'\n');
    bytes
}

pub(super) async fn attend(stream: Stream, desk: Arc<Desk>) {
    if !socket::is_own_user(&stream) {
        tracing::warn!("refused a client of another user");
        return;
    }
    let (read, write) = tokio::io::split(stream);
    match converse(read, write, desk).await {
        Ok(()) => tracing::debug!("client left"),
        Err(error) => tracing::debug!(%error, "client lost"),
    }
}

async fn converse(
    read: ReadHalf<Stream>,
    mut write: WriteHalf<Stream>,
    desk: Arc<Desk>,
) -> io::Result<()> {
    write.write_all(&line(&greeting())).await?;
    let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(REQUEST_BYTES_MAX));
    let Some(first) = lines.next().await else {
        return Ok(());
    };
    match read_request(first)? {
        Ok(Request {
            id,
            call: Call::Shell { session, spec },
        }) => request::shell(&desk, id, &session, spec, lines, write).await,
        first => Exchange::new(desk, write).run(first, lines).await,
    }
}

fn greeting() -> Greeting {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Greeting {
        protocol: PROTOCOL,
        version,
        pid: std::process::id(),
    }
}

/// A request, or the answer to one that makes no sense. A line too long ends the connection.
fn read_request(
    line: Result<String, LinesCodecError>,
) -> io::Result<Result<Request, Box<Response>>> {
    let line = line.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(serde_json::from_str(&line).map_err(|error| Box::new(misunderstood(&line, &error))))
}

fn misunderstood(line: &str, error: &serde_json::Error) -> Response {
    #[derive(serde::Deserialize)]
    struct Id {
        id: u64,
    }
    let id = serde_json::from_str(line).map_or(0, |Id { id }| id);
    let message = format!("the request makes no sense: {error}");
    let hint = "use a `mizzen` of the same version as the core";
    let failed = ApiError::new(ErrorCode::Usage, message, hint);
    Response {
        id,
        body: Body::Failed(failed),
    }
}

/// All requests of one connection are futures of its one task: they end with it.
struct Exchange<W> {
    desk: Arc<Desk>,
    write: W,
    queue: mpsc::Sender<Vec<u8>>,
    queued: mpsc::Receiver<Vec<u8>>,
    under_way: HashMap<u64, AbortHandle>,
}

impl<W: AsyncWrite + Unpin> Exchange<W> {
    fn new(desk: Arc<Desk>, write: W) -> Self {
        let (queue, queued) = mpsc::channel(LINES_QUEUED_MAX);
        Self {
            desk,
            write,
            queue,
            queued,
            under_way: HashMap::new(),
        }
    }

    async fn run<R: AsyncRead + Unpin>(
        self,
        first: Result<Request, Box<Response>>,
        mut lines: Lines<R>,
    ) -> io::Result<()> {
        let Self {
            desk,
            write,
            queue,
            queued,
            mut under_way,
        } = self;
        let mut writing = std::pin::pin!(write_all(write, queued));
        let mut running = FuturesUnordered::new();
        let mut next = Some(first);
        loop {
            match next.take() {
                Some(Ok(Request {
                    call: Call::Cancel { request },
                    ..
                })) => {
                    if let Some(handle) = under_way.remove(&request) {
                        handle.abort();
                    }
                }
                Some(Ok(Request { id, call })) => {
                    let out = Out {
                        id,
                        queue: queue.clone(),
                    };
                    let (future, handle) = abortable(request::attend(desk.clone(), call, out));
                    under_way.insert(id, handle);
                    running.push(futures::future::Either::Left(async move {
                        let _aborted = future.await;
                        id
                    }));
                }
                Some(Err(response)) => {
                    let out = Out {
                        id: response.id,
                        queue: queue.clone(),
                    };
                    running.push(futures::future::Either::Right(async move {
                        let _gone = out.say(response.body).await;
                        out.id
                    }));
                }
                None => {}
            }
            tokio::select! {
                line = lines.next(), if running.len() < REQUESTS_MAX => match line {
                    Some(line) => next = Some(read_request(line)?),
                    None => return Ok(()),
                },
                Some(id) = running.next() => {
                    under_way.remove(&id);
                }
                written = &mut writing => return written,
            }
        }
    }
}

async fn write_all<W>(mut write: W, mut queued: mpsc::Receiver<Vec<u8>>) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    while let Some(line) = queued.recv().await {
        write.write_all(&line).await?;
    }
    Ok(())
}
