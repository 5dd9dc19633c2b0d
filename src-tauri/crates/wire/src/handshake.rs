use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

use crate::direct_line::{self, BoxedIo, DirectLine, Offer};
use crate::frame;

/// Version of everything that follows the magic. Both sides must have the same: the core brings
/// its own supervisor into each container, so a difference is a stale copy, not a choice.
pub const VERSION: u32 = 6;

/// Opens the conversation. Cannot be text in any encoding, and a transport that rewrites line
/// ends or strips the eighth bit breaks it.
const MAGIC: [u8; 12] = *b"\x89MIZZEN\r\n\x1a\n\0";

/// Most bytes before the magic, e.g. of a login script that prints, that are skipped.
const NOISE_CAP: usize = 64 * 1024;

/// How long the peer may take to introduce itself.
const DEADLINE: Duration = Duration::from_secs(10);

/// How a side introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Name of the program.
    pub program: String,
    /// Its version.
    pub version: String,
}

impl Hello {
    /// An introduction.
    #[must_use]
    pub fn new(program: &str, version: &str) -> Self {
        Self {
            program: program.to_owned(),
            version: version.to_owned(),
        }
    }
}

/// Why there is no wire.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The peer ended before it introduced itself.
    #[error("the peer ended before it introduced itself{}", said(noise))]
    Ended {
        /// The beginning of what it said instead, not sanitised.
        noise: String,
    },
    /// What comes is not our protocol.
    #[error("no handshake in the first {} bytes{}", NOISE_CAP, said(noise))]
    Noise {
        /// The beginning of it, not sanitised.
        noise: String,
    },
    /// The two programs do not fit together.
    #[error("speaks wire version {theirs}, this program {VERSION}")]
    Version {
        /// The peer's version.
        theirs: u32,
    },
    /// The peer said nothing, or not to the end.
    #[error("no handshake within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// The peer's introduction makes no sense, or the byte stream failed.
    #[error("handshake failed: {0}")]
    Io(#[from] io::Error),
}

fn said(noise: &str) -> String {
    if noise.is_empty() {
        String::new()
    } else {
        format!("; it said {noise:?}")
    }
}

/// Who the peer is, and the direct line to it when there is one.
pub(crate) type Met = (Hello, Option<BoxedIo>);

/// The core's side: introduces us, learns who the peer is and agrees on the way; leaves the stream at the first byte
/// after that.
pub(crate) async fn meet_peer<IO>(
    io: &mut IO,
    ours: &Hello,
    line: Option<DirectLine>,
) -> Result<Met, HandshakeError>
where
    IO: AsyncBufRead + AsyncWrite + Unpin,
{
    in_time(async {
        let offer: Option<&Offer> = line.as_ref().map(|line| &line.offer);
        introduce(io, ours, &frame::encode(&offer)?).await?;
        let peer = read_hello(io).await?;
        let direct = match line {
            Some(line) => direct_line::settle(io, line).await?,
            None => None,
        };
        Ok((peer, direct))
    })
    .await
}

/// The container's side of the same.
pub(crate) async fn meet_core<IO, F>(
    io: &mut IO,
    ours: &Hello,
    call: impl FnOnce(Offer) -> F,
) -> Result<Met, HandshakeError>
where
    IO: AsyncBufRead + AsyncWrite + Unpin,
    F: Future<Output = io::Result<BoxedIo>>,
{
    in_time(async {
        introduce(io, ours, &[]).await?;
        let core = read_hello(io).await?;
        Ok((core, direct_line::answer(io, call).await?))
    })
    .await
}

async fn in_time(
    met: impl Future<Output = Result<Met, HandshakeError>>,
) -> Result<Met, HandshakeError> {
    tokio::time::timeout(DEADLINE, met)
        .await
        .unwrap_or(Err(HandshakeError::TimedOut))
}

/// Both sides speak before they listen, so that each can name the other's version.
async fn introduce(
    io: &mut (impl AsyncWrite + Unpin),
    ours: &Hello,
    then: &[u8],
) -> io::Result<()> {
    let mut opening = MAGIC.to_vec();
    opening.extend(VERSION.to_be_bytes());
    opening.extend(frame::encode(ours)?);
    opening.extend(then);
    io.write_all(&opening).await?;
    io.flush().await
}

async fn read_hello(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Hello, HandshakeError> {
    use tokio::io::AsyncReadExt;
    skip_noise(from).await?;
    let theirs = from.read_u32().await?;
    if theirs != VERSION {
        return Err(HandshakeError::Version { theirs });
    }
    Ok(frame::read_frame(from).await?)
}

async fn skip_noise(from: &mut (impl AsyncBufRead + Unpin)) -> Result<(), HandshakeError> {
    let (mut skipped, mut matched) = (0, 0);
    let mut noise = Vec::new();
    loop {
        let bytes = from.fill_buf().await?;
        if bytes.is_empty() {
            return Err(HandshakeError::Ended {
                noise: beginning(&noise),
            });
        }
        let mut used = 0;
        for byte in bytes {
            used += 1;
            matched = match *byte {
                byte if byte == MAGIC[matched] => matched + 1,
                // The magic's first byte occurs in it once: no shorter match to fall back to.
                byte => usize::from(byte == MAGIC[0]),
            };
            if matched == MAGIC.len() {
                from.consume(used);
                return Ok(());
            }
        }
        noise.extend(bytes.iter().take(SAID - noise.len().min(SAID)));
        from.consume(used);
        skipped += used;
        if skipped > NOISE_CAP {
            return Err(HandshakeError::Noise {
                noise: beginning(&noise),
            });
        }
    }
}

/// How much of the noise an error quotes.
const SAID: usize = 200;

fn beginning(noise: &[u8]) -> String {
    String::from_utf8_lossy(noise).trim().to_owned()
}
