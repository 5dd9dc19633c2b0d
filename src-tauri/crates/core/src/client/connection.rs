//! One connection to the core, shared by many calls.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use interprocess::local_socket::tokio::Stream;
use mizzen_tasks::Owner;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

use super::{ConnectError, core_gone};
use crate::control::frame::{
    Answer, Body, Call, Greeting, Item, PROTOCOL, RESPONSE_BYTES_MAX, Request, Response,
};
use crate::control::socket;
use crate::dirs::Dirs;
use crate::verb::ApiError;

/// A core that accepts but does not greet for this long hangs.
const GREETING_DEADLINE: Duration = Duration::from_secs(10);
/// What may wait for one call's reader. A call that is slower has its items dropped, and learns
/// so by its end: it must not hold up the other calls.
const QUEUED_MAX: usize = 1024;

pub(super) type Lines = FramedRead<ReadHalf<Stream>, LinesCodec>;

/// Connects for one call, whose answer comes in pieces: a connection of its own is read no faster than they are wanted.
pub(super) async fn ask(dirs: &Dirs, call: Call) -> Result<(Lines, WriteHalf<Stream>), ApiError> {
    let (_, lines, mut write) = greet(dirs).await?;
    send(&mut write, &Request { id: 1, call })
        .await
        .map_err(|_| core_gone())?;
    Ok((lines, write))
}

/// Connects and reads the greeting.
pub(super) async fn greet(
    dirs: &Dirs,
) -> Result<(Greeting, Lines, WriteHalf<Stream>), ConnectError> {
    let stream = socket::connect(dirs)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ConnectError::NoCore,
            _ => ConnectError::Io(error),
        })?;
    let (read, write) = tokio::io::split(stream);
    let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(RESPONSE_BYTES_MAX));
    let line = tokio::time::timeout(GREETING_DEADLINE, lines.next())
        .await
        .map_err(io::Error::from)?
        .ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?
        .map_err(|error| match error {
            // RACE: the core was killed with this connection still in its queue.
            LinesCodecError::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                ConnectError::NoCore
            }
            LinesCodecError::Io(error) => ConnectError::Io(error),
            LinesCodecError::MaxLineLengthExceeded => ConnectError::Io(io::Error::other(error)),
        })?;
    let greeting: Greeting = serde_json::from_str(&line).map_err(io::Error::other)?;
    if greeting.protocol != PROTOCOL {
        return Err(ConnectError::Incompatible {
            theirs: greeting.version,
        });
    }
    Ok((greeting, lines, write))
}

#[derive(Clone)]
pub(super) struct Connection {
    pub(super) greeting: Arc<Greeting>,
    shared: Arc<Shared>,
}

struct Shared {
    requests: mpsc::Sender<Request>,
    calls: Arc<Calls>,
    next_id: AtomicU64,
    ended: CancellationToken,
    /// Its tasks end with the last clone of the connection.
    _owner: Owner,
}

/// Who waits for what; none once the connection has ended.
struct Calls(Mutex<Option<HashMap<u64, mpsc::Sender<Body>>>>);

impl Calls {
    fn with<T>(&self, act: impl FnOnce(&mut Option<HashMap<u64, mpsc::Sender<Body>>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands a response to its call. What a full call cannot take is dropped, and so is the call:
    /// its receiver drains what it has and then finds the end.
    fn deliver(&self, Response { id, body }: Response) {
        self.with(|calls| {
            let Some(calls) = calls else { return };
            let is_end = !matches!(body, Body::Item(_));
            let is_full = calls
                .get(&id)
                .is_some_and(|call| call.try_send(body).is_err());
            if is_end || is_full {
                calls.remove(&id);
            }
        });
    }
}

impl Connection {
    pub(super) async fn open(dirs: &Dirs) -> Result<Self, ConnectError> {
        let (greeting, lines, write) = greet(dirs).await?;
        let owner = Owner::root("control client");
        let calls = Arc::new(Calls(Mutex::new(Some(HashMap::new()))));
        let (requests, asked) = mpsc::channel(64);
        let ended = CancellationToken::new();
        let (listening, watched) = (calls.clone(), ended.clone());
        owner.spawn("conversation", async move {
            tokio::select! {
                () = read(lines, &listening) => {}
                _ = write_requests(write, asked) => {}
            }
            listening.with(Option::take);
            watched.cancel();
        });
        let shared = Shared {
            requests,
            calls,
            next_id: AtomicU64::new(1),
            ended,
            _owner: owner,
        };
        Ok(Self {
            greeting: Arc::new(greeting),
            shared: Arc::new(shared),
        })
    }

    pub(super) async fn closed(&self) {
        self.shared.ended.cancelled().await;
    }

    /// Sends a request and returns its answers-to-be.
    pub(super) async fn call(&self, call: Call) -> Result<InCall, ApiError> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = mpsc::channel(QUEUED_MAX);
        let listed = self
            .shared
            .calls
            .with(|calls| calls.as_mut().map(|all| all.insert(id, tell)));
        listed.ok_or_else(core_gone)?;
        let in_call = InCall {
            id,
            told,
            over: false,
            connection: self.clone(),
        };
        self.shared
            .requests
            .send(Request { id, call })
            .await
            .map_err(|_| core_gone())?;
        Ok(in_call)
    }

    /// Sends a request that has one answer.
    pub(super) async fn ask(&self, call: Call) -> Result<Answer, ApiError> {
        self.call(call).await?.finish(|_| {}).await
    }
}

/// A call under way; dropping it ends it on the other side, too.
pub(super) struct InCall {
    id: u64,
    told: mpsc::Receiver<Body>,
    over: bool,
    connection: Connection,
}

/// The next thing a call has to say.
pub(super) enum Said {
    Item(Item),
    End(Result<Answer, ApiError>),
    /// More came than was read, or the connection ended.
    Cut,
}

impl InCall {
    pub(super) async fn next(&mut self) -> Said {
        let said = match self.told.recv().await {
            Some(Body::Item(item)) => return Said::Item(item),
            Some(Body::Done(answer)) => Said::End(Ok(answer)),
            Some(Body::Failed(error)) => Said::End(Err(error)),
            // Not over: where only this side gave up, dropping the call tells the core.
            None => return Said::Cut,
        };
        self.over = true;
        said
    }

    pub(super) async fn finish(
        &mut self,
        mut on_item: impl FnMut(Item),
    ) -> Result<Answer, ApiError> {
        loop {
            match self.next().await {
                Said::Item(item) => on_item(item),
                Said::End(end) => return end,
                Said::Cut => return Err(core_gone()),
            }
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        !self.connection.shared.ended.is_cancelled()
    }
}

impl Drop for InCall {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let shared = &self.connection.shared;
        shared
            .calls
            .with(|calls| calls.as_mut().map(|calls| calls.remove(&self.id)));
        let cancel = Request {
            id: 0,
            call: Call::Cancel { request: self.id },
        };
        // A full queue means that the core reads nothing: then the request ends with the connection.
        let _full_or_gone = shared.requests.try_send(cancel);
    }
}

async fn read<R: AsyncRead + Unpin>(mut lines: FramedRead<R, LinesCodec>, calls: &Calls) {
    while let Some(line) = lines.next().await {
        let response = line
            .map_err(io::Error::other)
            .and_then(|line| Ok(serde_json::from_str(&line)?));
        match response {
            Ok(response) => calls.deliver(response),
            Err(error) => {
                tracing::warn!(%error, "the core said something unintelligible");
                return;
            }
        }
    }
}

async fn write_requests<W: AsyncWrite + Unpin>(
    mut write: W,
    mut asked: mpsc::Receiver<Request>,
) -> io::Result<()> {
    while let Some(request) = asked.recv().await {
        send(&mut write, &request).await?;
    }
    Ok(())
}

pub(super) async fn send<W>(write: &mut W, request: &Request) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Reads the next response of a connection that carries one call only.
pub(super) async fn receive<R>(lines: &mut FramedRead<R, LinesCodec>) -> Result<Body, ApiError>
where
    R: AsyncRead + Unpin,
{
    let Some(Ok(line)) = lines.next().await else {
        return Err(core_gone());
    };
    let response: Response = serde_json::from_str(&line).map_err(|_| core_gone())?;
    Ok(response.body)
}
