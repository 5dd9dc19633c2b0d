//! A terminal in a session.

use std::pin::Pin;
use std::task::{Context, Poll};

use interprocess::local_socket::tokio::Stream;
use std::io::{self, Cursor};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Chain, ReadBuf, ReadHalf, WriteHalf};

use super::connection::{greet, receive, send};
use super::{ShellSpec, core_gone, unexpected};
use crate::control::frame::{Answer, Body, Call, Request};
use crate::dirs::Dirs;
use crate::verb::ApiError;

/// The raw bytes of a terminal's frames, as the supervisor's end of the wire speaks them.
pub struct Terminal {
    read: Chain<Cursor<Vec<u8>>, ReadHalf<Stream>>,
    write: WriteHalf<Stream>,
}

impl Terminal {
    pub(super) async fn open(
        dirs: &Dirs,
        session: &str,
        spec: ShellSpec,
    ) -> Result<Self, ApiError> {
        let (_, mut lines, mut write) = greet(dirs).await?;
        let call = Call::Shell {
            session: session.to_owned(),
            spec,
        };
        send(&mut write, &Request { id: 1, call })
            .await
            .map_err(|_| core_gone())?;
        match receive(&mut lines).await? {
            Body::Done(Answer::Nothing) => {}
            Body::Failed(error) => return Err(error),
            Body::Done(other) => return Err(unexpected(&other)),
            Body::Item(_) => return Err(core_gone()),
        }
        // What the program said at once may have come with the answer's line.
        let early = Cursor::new(lines.read_buffer().to_vec());
        Ok(Self {
            read: early.chain(lines.into_inner()),
            write,
        })
    }
}

impl AsyncRead for Terminal {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for Terminal {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}
