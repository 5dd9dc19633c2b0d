//! What a container has written, line by line.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use futures::Stream;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use jiff::Timestamp;

use crate::containers::segment;
use crate::deadline::{QUICK, within};
use crate::demux::{Channel, HEADER, parse_header};
use crate::transport::url_encoded;
use crate::{DockerError, DockerErrorKind, Engine};

/// The engine stores longer lines in parts of this size.
const ENGINE_PART: usize = 16 * 1024;

/// Longest line; what follows becomes the next one. A program need never end a line.
const LINE_CAP: usize = 64 * 1024;

const OP: &str = "read the container's log";

/// Which lines are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Lines from the end to begin with; all when none is named.
    pub tail: Option<u32>,
    /// Whether to wait for more, until the container ends.
    pub follow: bool,
    /// Only lines written after this time of the engine's clock.
    pub since: Option<Timestamp>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            tail: Some(200),
            follow: false,
            since: None,
        }
    }
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line; its text is the container's own and to be treated as hostile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, by the engine's clock; none for a terminal.
    pub at: Option<Timestamp>,
    /// Where it was written.
    pub source: LogSource,
    /// The line without its end.
    pub text: String,
    /// Whether the line goes on in the next one because it was too long.
    pub cut: bool,
}

impl Engine {
    /// Reads the log of a container; dropping the stream ends the request.
    pub async fn logs(
        &self,
        id: &str,
        options: LogOptions,
    ) -> Result<impl Stream<Item = Result<LogLine, DockerError>> + Send + use<>, DockerError> {
        // A terminal's output has no frames, and may imitate them: only its settings tell.
        let fact = self.inspect(id).await?.ok_or_else(|| {
            DockerError::new(
                OP,
                DockerErrorKind::NotFound,
                "the container does not exist",
            )
        })?;
        let path = format!(
            "/containers/{}/logs?{}",
            segment(OP, id)?,
            query(options, fact.tty)
        );
        let transport = self.transport();
        let opened = transport.open(OP, Method::GET, &path, None);
        let body = within(OP, QUICK, opened).await?.into_body();
        let splitter = if fact.tty {
            Splitter::Terminal
        } else {
            Splitter::Frames
        };
        let reader = Reader {
            body,
            raw: BytesMut::new(),
            splitter,
            stdout: Line::new(LogSource::Stdout),
            stderr: Line::new(LogSource::Stderr),
            ready: VecDeque::new(),
            ended: false,
        };
        Ok(futures::stream::unfold(reader, |mut reader| async {
            let item = reader.next().await?;
            Some((item, reader))
        }))
    }
}

fn query(options: LogOptions, tty: bool) -> String {
    let flag = |on: bool| if on { "true" } else { "false" };
    let tail = options
        .tail
        .map_or_else(|| "all".to_owned(), |n| n.to_string());
    let since = options
        .since
        .map(|t| format!("{}.{:09}", t.as_second(), t.subsec_nanosecond()));
    url_encoded(&[
        ("stdout", "true"),
        ("stderr", "true"),
        ("follow", flag(options.follow)),
        ("tail", &tail),
        ("since", since.as_deref().unwrap_or("0")),
        // Within a terminal's output a time could not be told from text.
        ("timestamps", flag(!tty)),
    ])
}

/// How the answer is put together.
#[derive(Clone, Copy)]
enum Splitter {
    Frames,
    Terminal,
}

struct Reader {
    body: Incoming,
    raw: BytesMut,
    splitter: Splitter,
    stdout: Line,
    stderr: Line,
    ready: VecDeque<LogLine>,
    ended: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<LogLine, DockerError>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            if self.ended {
                return None;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    self.raw
                        .extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                    if let Err(error) = self.split() {
                        self.ended = true;
                        return Some(Err(error));
                    }
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(DockerError::broken(OP, &error)));
                }
                None => {
                    self.ended = true;
                    self.stdout.end(&mut self.ready);
                    self.stderr.end(&mut self.ready);
                }
            }
        }
    }

    fn split(&mut self) -> Result<(), DockerError> {
        match self.splitter {
            Splitter::Terminal => {
                self.stdout.push(&self.raw, &mut self.ready);
                self.raw.clear();
                Ok(())
            }
            Splitter::Frames => self.split_frames(),
        }
    }

    fn split_frames(&mut self) -> Result<(), DockerError> {
        while let Some(header) = self.raw.first_chunk::<HEADER>() {
            let (channel, length) =
                parse_header(*header).map_err(|bad| DockerError::server(OP, bad.to_string()))?;
            if self.raw.len() < HEADER + length {
                break;
            }
            self.raw.advance(HEADER);
            let payload = self.raw.split_to(length);
            let line = match channel {
                Channel::Stdout => &mut self.stdout,
                Channel::Stderr => &mut self.stderr,
            };
            line.message(&payload, &mut self.ready);
        }
        Ok(())
    }
}

/// A line in the making.
struct Line {
    source: LogSource,
    at: Option<Timestamp>,
    text: Vec<u8>,
}

impl Line {
    fn new(source: LogSource) -> Self {
        Self {
            source,
            at: None,
            text: Vec::new(),
        }
    }

    /// Adds one message of the log: a time, a space, and a line or a part of one.
    fn message(&mut self, payload: &[u8], ready: &mut VecDeque<LogLine>) {
        let space = payload.iter().position(|byte| *byte == b' ');
        let stamped = space.and_then(|at| {
            let time = std::str::from_utf8(&payload[..at])
                .ok()?
                .parse::<Timestamp>()
                .ok()?;
            Some((time, &payload[at + 1..]))
        });
        let text = match stamped {
            Some((time, text)) => {
                self.at = self.at.or(Some(time));
                text
            }
            None => payload,
        };
        self.push(text, ready);
        // HACK: the `local` log driver forgets the line end of a line's last part; only that part
        // can be shorter than the others.
        if text.len() < ENGINE_PART && !text.ends_with(b"\n") {
            self.emit(false, ready);
        }
    }

    fn push(&mut self, mut bytes: &[u8], ready: &mut VecDeque<LogLine>) {
        while !bytes.is_empty() {
            let room = LINE_CAP - self.text.len();
            let window = &bytes[..bytes.len().min(room)];
            match window.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    self.text.extend_from_slice(&bytes[..at]);
                    bytes = &bytes[at + 1..];
                    self.emit(false, ready);
                }
                None => {
                    self.text.extend_from_slice(window);
                    bytes = &bytes[window.len()..];
                    if self.text.len() == LINE_CAP {
                        self.emit(true, ready);
                    }
                }
            }
        }
    }

    fn end(&mut self, ready: &mut VecDeque<LogLine>) {
        if !self.text.is_empty() {
            self.emit(false, ready);
        }
    }

    fn emit(&mut self, cut: bool, ready: &mut VecDeque<LogLine>) {
        let text = std::mem::take(&mut self.text);
        let text = text.strip_suffix(b"\r").unwrap_or(&text);
        ready.push_back(LogLine {
            at: self.at,
            source: self.source,
            text: String::from_utf8_lossy(text).into_owned(),
            cut,
        });
        if !cut {
            self.at = None;
        }
    }
}

#[cfg(test)]
mod tests;
