//! A terminal in a session.

use std::io::Cursor;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use interprocess::local_socket::tokio::Stream;
use mizzen_wire::pty::{DATA_CAP, PtyCodec, PtyFrame};
use tokio::io::{AsyncReadExt, Chain, ReadHalf, WriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite};

use super::connection::{ask, receive};
use super::{ShellSpec, core_gone, unexpected};
use crate::control::frame::{Answer, Body, Call};
use crate::dirs::Dirs;
use crate::verb::ApiError;

/// A program in a terminal; it ends with this.
pub struct Terminal {
    keys: Keys,
    screen: Screen,
}

/// What goes into a terminal.
pub struct Keys {
    frames: FramedWrite<WriteHalf<Stream>, PtyCodec>,
}

/// What comes out of a terminal.
pub struct Screen {
    frames: FramedRead<Chain<Cursor<Vec<u8>>, ReadHalf<Stream>>, PtyCodec>,
}

/// One thing that comes out of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalOutput {
    /// What the program wrote, control sequences and all.
    Bytes(Bytes),
    /// The program has ended.
    Ended {
        /// As shells count: signals from 128 on.
        code: i32,
    },
}

impl Terminal {
    pub(super) async fn open(
        dirs: &Dirs,
        session: &str,
        spec: ShellSpec,
    ) -> Result<Self, ApiError> {
        let call = Call::Shell {
            session: session.to_owned(),
            spec,
        };
        let (mut lines, write) = ask(dirs, call).await?;
        match receive(&mut lines).await? {
            Body::Done(Answer::Nothing) => {}
            Body::Failed(error) => return Err(error),
            Body::Done(other) => return Err(unexpected(&other)),
            Body::Item(_) => return Err(core_gone()),
        }
        // What the program said at once may have come with the answer's line.
        let early = Cursor::new(lines.read_buffer().to_vec());
        let frames = FramedRead::new(early.chain(lines.into_inner()), PtyCodec);
        Ok(Self {
            keys: Keys {
                frames: FramedWrite::new(write, PtyCodec),
            },
            screen: Screen { frames },
        })
    }

    /// Keys and screen, to be used side by side.
    #[must_use]
    pub fn split(self) -> (Keys, Screen) {
        (self.keys, self.screen)
    }
}

impl Keys {
    /// Types.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        for part in bytes.chunks(DATA_CAP) {
            self.frame(PtyFrame::Data(Bytes::copy_from_slice(part)))
                .await?;
        }
        Ok(())
    }

    /// Tells the program that its window has another size, in characters.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn resize(&mut self, cols: u16, rows: u16) -> Result<(), ApiError> {
        self.frame(PtyFrame::Resize { cols, rows }).await
    }

    async fn frame(&mut self, frame: PtyFrame) -> Result<(), ApiError> {
        self.frames.send(frame).await.map_err(|_| core_gone())
    }
}

impl Screen {
    /// Waits for more. Cancel safe.
    ///
    /// # Errors
    /// When the connection ended before the program did.
    pub async fn next(&mut self) -> Result<TerminalOutput, ApiError> {
        loop {
            match self.frames.next().await {
                Some(Ok(PtyFrame::Data(bytes))) => return Ok(TerminalOutput::Bytes(bytes)),
                Some(Ok(PtyFrame::Exit(exit))) => {
                    return Ok(TerminalOutput::Ended {
                        code: exit.shell_code(),
                    });
                }
                // Sizes go the other way only.
                Some(Ok(PtyFrame::Resize { .. })) => {}
                Some(Err(_)) | None => return Err(core_gone()),
            }
        }
    }
}
