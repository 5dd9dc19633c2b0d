use std::fmt;
use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mizzen_tasks::Owner;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, BufStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};
use yamux::{Config, Connection, Mode};

use crate::direct_line::{BoxedIo, DirectLine, Offer, Way};
use crate::frame::{read_frame, write_frame};
use crate::handshake::{HandshakeError, Hello, Met, meet_core, meet_peer};
use crate::kind::StreamKind;
use crate::stream::Stream;

/// Most streams open at once on one wire.
pub const MAX_STREAMS: usize = 128;

/// Ends the whole connection when it is reached, so it lies above what we count ourselves: closed
/// streams linger in the multiplexer until its next turn.
const HARD_MAX_STREAMS: usize = 4 * MAX_STREAMS;
/// What each stream may send before it is read.
const WINDOW: usize = yamux::DEFAULT_CREDIT as usize;
/// What all streams' windows together may grow beyond that, while they are read fast.
const GROWTH: usize = 32 * 1024 * 1024;
/// Largest piece of one stream before another has its turn.
const PIECE: usize = 64 * 1024;
/// A piece with its header leaves in one write.
const BUFFER: usize = PIECE + 4096;

/// How long the peer may take to answer for a new stream.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);
/// How long our last frames may take to leave.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// The core's side: introduces us, skips noise before the peer's introduction, and runs the wire
/// as a task of `owner`: on the direct line when one is offered and the peer called, else on `io`.
///
/// # Errors
/// The peer is none, is another version, or is too slow.
pub async fn connect<IO>(
    owner: &Owner,
    io: IO,
    hello: Hello,
    line: Option<DirectLine>,
) -> Result<Wire, HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut io = buffered(Box::new(io));
    let met = meet_peer(&mut io, &hello, line).await?;
    Ok(start(owner, io, met, Mode::Client, None))
}

/// The container's side: like [`connect`], and gives the streams that the core opens. Given an
/// offer, `call` connects and sends the token; its failure leaves the wire on `io`.
///
/// # Errors
/// The peer is none, is another version, or is too slow.
pub async fn accept<IO, F>(
    owner: &Owner,
    io: IO,
    hello: Hello,
    call: impl FnOnce(Offer) -> F,
) -> Result<(Wire, Incoming), HandshakeError>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<BoxedIo>>,
{
    let mut io = buffered(Box::new(io));
    let met = meet_core(&mut io, &hello, call).await?;
    let (offer, streams) = mpsc::channel(MAX_STREAMS);
    let wire = start(owner, io, met, Mode::Server, Some(offer));
    Ok((wire, Incoming { streams }))
}

fn buffered(io: BoxedIo) -> BufStream<BoxedIo> {
    BufStream::with_capacity(BUFFER, BUFFER, io)
}

fn start(
    owner: &Owner,
    io: BufStream<BoxedIo>,
    (peer, direct): Met,
    mode: Mode,
    inbound: Option<mpsc::Sender<yamux::Stream>>,
) -> Wire {
    let (way, bytes, leash) = match direct {
        None => (Way::Stdio, io, None),
        Some(direct) => (Way::DirectLine, buffered(direct), Some(io.into_inner())),
    };
    let (opens, asked) = mpsc::channel(1);
    let (tell, closed) = watch::channel(None);
    let mux = Connection::new(bytes.compat(), config(), mode);
    owner.spawn("wire", async move {
        let reason = Driver {
            mux,
            asked,
            waiting: None,
            inbound,
        }
        .run(leash)
        .await;
        tracing::debug!(%reason, "wire closed");
        tell.send_replace(Some(reason));
    });
    let places = Arc::new(Semaphore::new(MAX_STREAMS));
    Wire {
        peer: Arc::new(peer),
        way,
        opens,
        places,
        closed,
    }
}

fn config() -> Config {
    let mut config = Config::default();
    // Grown before the streams are counted: each setter checks the two against each other.
    config.set_max_connection_receive_window(Some(HARD_MAX_STREAMS * WINDOW + GROWTH));
    config.set_max_num_streams(HARD_MAX_STREAMS);
    config.set_split_send_size(PIECE);
    config
}

/// A live connection; cheap to clone. It closes when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Wire {
    peer: Arc<Hello>,
    way: Way,
    opens: mpsc::Sender<oneshot::Sender<yamux::Stream>>,
    places: Arc<Semaphore>,
    closed: watch::Receiver<Option<Closed>>,
}

/// Why a wire ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Nobody here holds it any more, or its owner stopped.
    ByUs,
    /// The peer closed it, or its process ended.
    ByPeer,
    /// The peer broke the protocol, or the byte stream failed.
    Failed(String),
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByUs => f.write_str("closed here"),
            Self::ByPeer => f.write_str("closed by the peer"),
            Self::Failed(cause) => f.write_str(cause),
        }
    }
}

/// Why a stream was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The peer gave a reason; not sanitised.
    #[error("refused: {0}")]
    Refused(String),
    /// [`MAX_STREAMS`] are open.
    #[error("{MAX_STREAMS} streams are open already")]
    TooMany,
    /// The wire has ended.
    #[error("the wire is closed")]
    Closed,
    /// The peer did not answer.
    #[error("no answer within {} s", OPEN_DEADLINE.as_secs())]
    TimedOut,
    /// The peer's answer makes no sense, or it ended the stream.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The answer that comes before a stream's bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Accepted,
    Refused(String),
}

impl Wire {
    /// Opens a stream and waits until the peer accepts it.
    ///
    /// # Errors
    /// The peer refuses, or does not answer; the wire is full or closed.
    pub async fn open(&self, kind: StreamKind) -> Result<Stream, OpenError> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| OpenError::TooMany)?;
        let (give, given) = oneshot::channel();
        self.opens.send(give).await.map_err(|_| OpenError::Closed)?;
        let mut stream = Stream::new(given.await.map_err(|_| OpenError::Closed)?, Some(place));
        let answer = async {
            write_frame(&mut stream, &kind).await?;
            read_frame::<Answer>(&mut stream).await
        };
        match tokio::time::timeout(OPEN_DEADLINE, answer).await {
            Ok(Ok(Answer::Accepted)) => Ok(stream),
            Ok(Ok(Answer::Refused(reason))) => Err(OpenError::Refused(reason)),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(OpenError::TimedOut),
        }
    }

    /// How the peer introduced itself; not sanitised.
    #[must_use]
    pub fn peer(&self) -> &Hello {
        &self.peer
    }

    /// What the bytes travel on.
    #[must_use]
    pub fn way(&self) -> Way {
        self.way
    }

    /// Whether the wire has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.opens.is_closed()
    }

    /// Waits until the wire has ended, and says why.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(Closed::ByUs),
            Err(_) => Closed::ByUs,
        }
    }
}

/// Streams that the core opens.
#[derive(Debug)]
pub struct Incoming {
    streams: mpsc::Receiver<yamux::Stream>,
}

impl Incoming {
    /// The next one; none when the wire has ended.
    pub async fn next(&mut self) -> Option<Opening> {
        let stream = self.streams.recv().await?;
        Some(Opening {
            stream: Stream::new(stream, None),
        })
    }
}

/// A stream whose kind has not been read yet.
#[derive(Debug)]
pub struct Opening {
    stream: Stream,
}

impl Opening {
    /// Learns what is asked for.
    ///
    /// # Errors
    /// The peer does not say it in time, or what it says makes no sense.
    pub async fn request(mut self) -> io::Result<Request> {
        let kind = tokio::time::timeout(OPEN_DEADLINE, read_frame(&mut self.stream)).await??;
        Ok(Request {
            kind,
            stream: self.stream,
        })
    }
}

/// A stream that waits for an answer. Dropping it refuses without a reason.
#[derive(Debug)]
pub struct Request {
    kind: StreamKind,
    stream: Stream,
}

impl Request {
    /// What is asked for.
    #[must_use]
    pub fn kind(&self) -> &StreamKind {
        &self.kind
    }

    /// Accepts; from here on bytes flow.
    ///
    /// # Errors
    /// The peer is gone.
    pub async fn accept(mut self) -> io::Result<Stream> {
        write_frame(&mut self.stream, &Answer::Accepted).await?;
        Ok(self.stream)
    }

    /// Refuses, with a reason for people.
    ///
    /// # Errors
    /// The peer is gone.
    pub async fn refuse(mut self, reason: impl Into<String>) -> io::Result<()> {
        use tokio::io::AsyncWriteExt;
        write_frame(&mut self.stream, &Answer::Refused(reason.into())).await?;
        self.stream.shutdown().await
    }
}

/// Moves the bytes of one wire. The multiplexer makes progress only while it is polled here.
struct Driver {
    mux: Connection<Compat<BufStream<BoxedIo>>>,
    asked: mpsc::Receiver<oneshot::Sender<yamux::Stream>>,
    waiting: Option<oneshot::Sender<yamux::Stream>>,
    /// Where streams of the peer go; none when it may not open any.
    inbound: Option<mpsc::Sender<yamux::Stream>>,
}

impl Driver {
    /// Runs until the wire has ended; on a direct line also when the leash has, and lets go of it last.
    async fn run(mut self, mut leash: Option<BoxedIo>) -> Closed {
        let reason = tokio::select! {
            biased;
            reason = poll_fn(|cx| self.poll(cx)) => reason,
            reason = end_of(&mut leash) => reason,
        };
        if reason == Closed::ByUs {
            let close = poll_fn(|cx| self.mux.poll_close(cx));
            // A peer that does not read is left behind.
            let _ = tokio::time::timeout(CLOSE_DEADLINE, close).await;
        }
        reason
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        loop {
            if let Poll::Ready(reason) = self.poll_opens(cx) {
                return Poll::Ready(reason);
            }
            match ready!(self.mux.poll_next_inbound(cx)) {
                Some(Ok(stream)) => match &self.inbound {
                    // A full channel refuses by dropping, which resets the stream.
                    Some(offer) => drop(offer.try_send(stream)),
                    None => return Poll::Ready(Closed::Failed("the peer opened a stream".into())),
                },
                Some(Err(error)) => return Poll::Ready(ended(error)),
                None => return Poll::Ready(Closed::ByPeer),
            }
        }
    }

    /// Gives out new streams; ready only when the wire has to end.
    fn poll_opens(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        loop {
            if self.waiting.is_none() {
                match ready!(self.asked.poll_recv(cx)) {
                    Some(give) => self.waiting = Some(give),
                    None => return Poll::Ready(Closed::ByUs),
                }
            }
            let stream = match ready!(self.mux.poll_new_outbound(cx)) {
                Ok(stream) => stream,
                Err(error) => return Poll::Ready(ended(error)),
            };
            // Known here: somebody waited. When they gave up the stream is dropped, and closed.
            let _ = self.waiting.take().map(|give| give.send(stream));
        }
    }
}

/// Waits for the end of a stream that carries nothing.
async fn end_of(leash: &mut Option<BoxedIo>) -> Closed {
    let Some(leash) = leash else {
        return pending().await;
    };
    match leash.read(&mut [0]).await {
        Ok(0) => Closed::ByPeer,
        Ok(_) => Closed::Failed("the peer sent bytes beside its direct line".into()),
        Err(error) => broken(&error),
    }
}

fn ended(error: yamux::ConnectionError) -> Closed {
    match error {
        yamux::ConnectionError::Closed => Closed::ByPeer,
        yamux::ConnectionError::Io(error) => broken(&error),
        error => Closed::Failed(error.to_string()),
    }
}

fn broken(error: &io::Error) -> Closed {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    match error.kind() {
        // Its process ended while something was on the way to it.
        BrokenPipe | ConnectionReset => Closed::ByPeer,
        _ => Closed::Failed(error.to_string()),
    }
}
