//! The standard streams of an ssh, as one stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

/// Reads what the process writes and writes what it reads; the process ends with it.
pub(super) struct SshStream {
    /// None once our side has said all: only a closed pipe tells the far end.
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// Killed when dropped; its errors go nowhere any more, but find a pipe.
    process: Option<(Child, ChildStderr)>,
}

impl SshStream {
    /// Takes the streams of a process.
    pub(super) fn of(child: &mut Child) -> Self {
        Self {
            input: child.stdin.take(),
            output: child.stdout.take().expect("BUG: stdout is piped"),
            process: None,
        }
    }

    /// Ends the process when this stream is dropped, and not before.
    pub(super) fn keeping(mut self, child: Child, errors: ChildStderr) -> Self {
        self.process = Some((child, errors));
        self
    }
}

impl AsyncRead for SshStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buffer)
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input = None;
        Poll::Ready(Ok(()))
    }
}
