//! Takes apart the engine's multiplexed output: frames of an eight byte header and a payload.
//!
//! Header: channel (1 output, 2 errors), three zero bytes, length as a big-endian u32. Format:
//! Docker Engine API, "Attach to a container", stream format.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest payload that is believed; engines send at most 32 KiB for exec and 16 KiB for logs.
pub(crate) const FRAME_CAP: usize = 1 << 20;

/// Length of a header.
pub(crate) const HEADER: usize = 8;

/// Bytes read ahead: several frames for one system call.
const READ_AHEAD: usize = 128 * 1024;

/// Bytes of error output that are kept.
const TAIL_CAP: usize = 16 * 1024;

/// Where a payload belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Stdout,
    Stderr,
}

/// Not a frame: this stream is none of the engine's making.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an output frame: {0:02x?}")]
pub(crate) struct BadFrame([u8; HEADER]);

/// Reads a header.
pub(crate) fn parse_header(header: [u8; HEADER]) -> Result<(Channel, usize), BadFrame> {
    let [channel, zeros @ .., a, b, c, d] = header;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    let channel = match channel {
        // 0 is input echoed by a terminal; engines label it output elsewhere.
        0 | 1 => Channel::Stdout,
        2 => Channel::Stderr,
        _ => return Err(BadFrame(header)),
    };
    let believable = zeros == [0, 0, 0] && length <= FRAME_CAP;
    if believable {
        Ok((channel, length))
    } else {
        Err(BadFrame(header))
    }
}

/// The newest bytes of a process's error output; clones share them.
#[derive(Clone, Default)]
pub struct StderrTail {
    bytes: Arc<Mutex<VecDeque<u8>>>,
}

impl StderrTail {
    /// The kept bytes as text, which is the process's own and to be treated as hostile.
    #[must_use]
    pub fn text(&self) -> String {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(bytes.make_contiguous()).into_owned()
    }

    fn push(&self, more: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let more = &more[more.len().saturating_sub(TAIL_CAP)..];
        let excess = (bytes.len() + more.len()).saturating_sub(TAIL_CAP);
        bytes.drain(..excess);
        bytes.extend(more);
    }
}

/// A connection whose reads are the output channel; error output goes to a [`StderrTail`].
pub(crate) struct Demux<C> {
    conn: C,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Payload of the current frame that was not taken yet.
    payload: usize,
    channel: Channel,
    stderr: StderrTail,
}

impl<C> Demux<C> {
    /// Reads `first`, then what the connection brings.
    pub(crate) fn new(conn: C, first: &Bytes, stderr: StderrTail) -> Self {
        let mut buffer = vec![0; READ_AHEAD.max(first.len())].into_boxed_slice();
        buffer[..first.len()].copy_from_slice(first);
        Self {
            conn,
            buffer,
            start: 0,
            end: first.len(),
            payload: 0,
            channel: Channel::Stdout,
            stderr,
        }
    }

    fn available(&self) -> usize {
        self.end - self.start
    }

    /// Takes up to `limit` bytes of the current payload out of the buffer.
    fn take(&mut self, limit: usize) -> std::ops::Range<usize> {
        let count = self.available().min(self.payload).min(limit);
        let range = self.start..self.start + count;
        self.start += count;
        self.payload -= count;
        range
    }

    /// Begins the next frame when its whole header is buffered.
    fn next_frame(&mut self) -> io::Result<bool> {
        if self.available() < HEADER {
            return Ok(false);
        }
        let mut header = [0; HEADER];
        header.copy_from_slice(&self.buffer[self.start..self.start + HEADER]);
        self.start += HEADER;
        (self.channel, self.payload) =
            parse_header(header).map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))?;
        Ok(true)
    }
}

impl<C: AsyncRead + Unpin> Demux<C> {
    /// Reads more behind what is buffered; answers false at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        // At most a part of a header is left here, so moving it to the front is nearly free.
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let mut space = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(Pin::new(&mut self.conn).poll_read(cx, &mut space))?;
        let count = space.filled().len();
        self.end += count;
        if count > 0 {
            return Poll::Ready(Ok(true));
        }
        if self.end == 0 && self.payload == 0 {
            return Poll::Ready(Ok(false));
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the stream ended in a frame",
        )))
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Demux<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.remaining();
        loop {
            if this.payload > 0 && this.available() > 0 {
                match this.channel {
                    Channel::Stdout => {
                        let range = this.take(buf.remaining());
                        buf.put_slice(&this.buffer[range]);
                    }
                    Channel::Stderr => {
                        let range = this.take(usize::MAX);
                        this.stderr.push(&this.buffer[range]);
                    }
                }
                if buf.remaining() == 0 {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            if this.payload == 0 && this.next_frame()? {
                continue;
            }
            // Whatever is at hand is handed over before waiting for more.
            if buf.remaining() < before || !ready!(this.poll_fill(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Demux<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.conn).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.conn).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.conn.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.conn).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.conn).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
