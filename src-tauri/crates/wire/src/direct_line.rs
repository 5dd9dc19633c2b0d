//! A shorter way for the wire's bytes than the stdio on which hands are shaken.
//!
//! The core may offer a socket that it listens on, with a token. The peer connects, sends the token there, and only
//! then says on stdio that it has called. The core looks who brought the token, and has the last word on stdio: the
//! wire goes on over the direct line, or where it is. Whatever goes wrong before that word costs the direct line only.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::frame::{read_frame, write_frame};

/// Any byte stream.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// One byte stream, whatever it is.
pub type BoxedIo = Box<dyn Io>;

/// What the peer needs to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Name of the socket in the session's status directory.
    pub socket: String,
    /// What the caller sends first.
    pub token: Token,
}

/// Tells the peer from a stranger; good for one direct line.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token([u8; Self::LENGTH]);

impl Token {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    /// A token of these bytes, which nobody must be able to guess.
    #[must_use]
    pub fn new(random: [u8; Self::LENGTH]) -> Self {
        Self(random)
    }

    /// What a caller sends.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a caller sent this token; takes as long for every wrong one.
    #[must_use]
    pub fn matches(&self, sent: &[u8]) -> bool {
        self.0.ct_eq(sent).into()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A direct line that the core offers. Dropped unused, nobody listens any more.
pub struct DirectLine {
    /// What the peer is told.
    pub offer: Offer,
    /// Finds the caller that brought the token. Asked once the peer says that it has called: its token is there by
    /// then, and who has sent none is a stranger. So there is nothing to wait for.
    pub caller: Box<dyn FnOnce() -> Option<BoxedIo> + Send>,
}

/// What a wire's bytes travel on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The byte stream on which hands were shaken.
    Stdio,
    /// A socket between the two sides. The other stream carries nothing more, and its end is the wire's.
    DirectLine,
}

/// What the peer says to an offer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Called,
    /// Why it did not.
    Declined(String),
}

/// How much of the peer's reason is noted.
const REASON: usize = 200;

/// The core's side, after its offer has left.
pub(crate) async fn settle<IO>(io: &mut IO, line: DirectLine) -> io::Result<Option<BoxedIo>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let caller = match read_frame(io).await? {
        Answer::Called => (line.caller)(),
        Answer::Declined(reason) => {
            let reason: String = reason.chars().take(REASON).collect();
            tracing::debug!(?reason, "the peer takes no direct line");
            None
        }
    };
    let way = match caller {
        Some(_) => Way::DirectLine,
        None => Way::Stdio,
    };
    write_frame(io, &way).await?;
    Ok(caller)
}

/// The peer's side: calls when there is an offer, and does as the core then says.
pub(crate) async fn answer<IO, F>(
    io: &mut IO,
    call: impl FnOnce(Offer) -> F,
) -> io::Result<Option<BoxedIo>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = io::Result<BoxedIo>>,
{
    let Some(offer) = read_frame::<Option<Offer>>(io).await? else {
        return Ok(None);
    };
    let (line, answer) = match call(offer).await {
        Ok(line) => (Some(line), Answer::Called),
        Err(error) => (None, Answer::Declined(error.to_string())),
    };
    write_frame(io, &answer).await?;
    match (read_frame(io).await?, line) {
        (Way::Stdio, _) => Ok(None),
        (Way::DirectLine, Some(line)) => Ok(Some(line)),
        (Way::DirectLine, None) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a direct line that nobody called",
        )),
    }
}
