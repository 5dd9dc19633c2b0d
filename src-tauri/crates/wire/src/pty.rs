//! Frames of a shell stream: a byte for the kind, four for the length, the highest first, and the
//! payload. The supervisor owns the terminal; the core sends keys and sizes and gets what it shows.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// Longest payload of one frame, in bytes.
pub const DATA_CAP: usize = 64 * 1024;

const HEADER: usize = 5;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PtyFrame {
    /// Bytes to or from the terminal.
    Data(Bytes),
    /// The core's window has a new size, in characters.
    Resize {
        /// Width.
        cols: u16,
        /// Height.
        rows: u16,
    },
    /// The command has ended; nothing follows.
    Exit(Exit),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The exit code as shells count: signals from 128 on.
    #[must_use]
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            // The other end may say any number.
            Self::Signal(signal) => signal.saturating_add(128),
        }
    }
}

/// Turns a shell stream into frames; for `tokio_util::codec::Framed`.
#[derive(Debug, Default)]
pub struct PtyCodec;

const DATA: u8 = 0;
const RESIZE: u8 = 1;
const EXIT_CODE: u8 = 2;
const EXIT_SIGNAL: u8 = 3;

impl Encoder<PtyFrame> for PtyCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: PtyFrame, to: &mut BytesMut) -> io::Result<()> {
        match frame {
            PtyFrame::Data(bytes) => put(to, DATA, &bytes)?,
            PtyFrame::Resize { cols, rows } => {
                let [a, b] = cols.to_be_bytes();
                let [c, d] = rows.to_be_bytes();
                put(to, RESIZE, &[a, b, c, d])?;
            }
            PtyFrame::Exit(Exit::Code(code)) => put(to, EXIT_CODE, &code.to_be_bytes())?,
            PtyFrame::Exit(Exit::Signal(signal)) => put(to, EXIT_SIGNAL, &signal.to_be_bytes())?,
        }
        Ok(())
    }
}

fn put(to: &mut BytesMut, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|n| *n as usize <= DATA_CAP);
    let length = length.ok_or_else(|| invalid("a terminal frame that is too long"))?;
    to.reserve(HEADER + payload.len());
    to.put_u8(kind);
    to.put_u32(length);
    to.put_slice(payload);
    Ok(())
}

impl Decoder for PtyCodec {
    type Item = PtyFrame;
    type Error = io::Error;

    fn decode(&mut self, from: &mut BytesMut) -> io::Result<Option<PtyFrame>> {
        let Some((header, _)) = from.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [kind, length @ ..] = *header;
        let length = u32::from_be_bytes(length) as usize;
        if length > DATA_CAP {
            return Err(invalid("a terminal frame that is too long"));
        }
        if from.len() < HEADER + length {
            from.reserve(HEADER + length - from.len());
            return Ok(None);
        }
        from.advance(HEADER);
        let payload = from.split_to(length).freeze();
        parse(kind, payload).map(Some)
    }
}

fn parse(kind: u8, payload: Bytes) -> io::Result<PtyFrame> {
    let four = <[u8; 4]>::try_from(&payload[..]).ok();
    match (kind, four) {
        (DATA, _) => Ok(PtyFrame::Data(payload)),
        (RESIZE, Some([a, b, c, d])) => Ok(PtyFrame::Resize {
            cols: u16::from_be_bytes([a, b]),
            rows: u16::from_be_bytes([c, d]),
        }),
        (EXIT_CODE, Some(code)) => Ok(PtyFrame::Exit(Exit::Code(i32::from_be_bytes(code)))),
        (EXIT_SIGNAL, Some(signal)) => Ok(PtyFrame::Exit(Exit::Signal(i32::from_be_bytes(signal)))),
        _ => Err(invalid("a terminal frame that makes no sense")),
    }
}

fn invalid(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn an_end_has_a_code_whatever_the_other_side_says_it_was() {
        assert_eq!(Exit::Code(3).shell_code(), 3);
        assert_eq!(Exit::Signal(9).shell_code(), 137);
        assert_eq!(Exit::Signal(i32::MAX).shell_code(), i32::MAX);
    }
}
