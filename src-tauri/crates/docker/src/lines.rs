//! Splits a streamed answer into lines of bounded length.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::DockerError;

/// A streamed answer, line by line.
pub(crate) struct Lines {
    op: &'static str,
    body: Incoming,
    buffer: BytesMut,
    /// Bytes of the buffer that are known to hold no line feed.
    searched: usize,
    cap: usize,
}

impl Lines {
    /// Reads a body whose lines are at most `cap` bytes long.
    pub(crate) fn new(op: &'static str, body: Incoming, cap: usize) -> Self {
        Self {
            op,
            body,
            buffer: BytesMut::new(),
            searched: 0,
            cap,
        }
    }

    /// Answers with the next line without its end; none when the stream ended at a line's end.
    ///
    /// Cancel safe: a line that is not complete stays in the buffer.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, DockerError>> {
        loop {
            if let Some(line) = self.take_line() {
                return Some(Ok(line));
            }
            if self.buffer.len() > self.cap {
                let message = format!("a line of its answer is longer than {} bytes", self.cap);
                return Some(Err(DockerError::server(self.op, message)));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Some(Err(DockerError::broken(self.op, &error))),
                None if self.buffer.is_empty() => return None,
                None => {
                    self.buffer.clear();
                    self.searched = 0;
                    return Some(Err(DockerError::server(
                        self.op,
                        "its answer ends in mid-line",
                    )));
                }
            }
        }
    }

    /// As [`Lines::next`], but silence longer than the limit is an error.
    pub(crate) async fn next_within(
        &mut self,
        limit: Duration,
    ) -> Option<Result<Bytes, DockerError>> {
        match tokio::time::timeout(limit, self.next()).await {
            Ok(line) => line,
            Err(_) => Some(Err(DockerError::timed_out(self.op, limit))),
        }
    }

    fn take_line(&mut self) -> Option<Bytes> {
        while let Some(at) = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let mut line = self.buffer.split_to(self.searched + at).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            if line.last() == Some(&b'\r') {
                line.truncate(line.len() - 1);
            }
            if !line.is_empty() {
                return Some(line);
            }
        }
        self.searched = self.buffer.len();
        None
    }
}
