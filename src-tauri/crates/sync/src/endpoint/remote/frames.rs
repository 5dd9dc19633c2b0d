//! Messages, and contents of files, on one stream of bytes.
//!
//! A frame is a byte that says what it is, four bytes of length, the lowest first, and so many bytes.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;

use super::delta::Run;
use super::pack::Timed;

/// Most bytes of a frame.
pub(super) const FRAME_MAX: usize = 256 * 1024;
/// Most bytes of a message: a tree of some two million entries.
const MESSAGE_MAX: usize = 256 * 1024 * 1024;

/// What comes in.
#[derive(Debug)]
pub(super) enum Frame {
    /// A whole message.
    Message(Vec<u8>),
    /// The next part of a file.
    Piece(Vec<u8>),
    /// The next part of a file, made shorter.
    Packed(Vec<u8>),
    /// The next part of a file, which who wants it has already.
    Run(Run),
    /// A file has come to its end.
    End(Ending),
    /// The side has changed.
    Changed,
    /// The other end is still at work.
    Alive,
}

/// How a file came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All of it was there.
    Whole,
    /// It has changed or cannot be read.
    Spoilt,
    /// Nothing can be read any more.
    Exhausted,
}

const PART: u8 = 0;
const LAST_PART: u8 = 1;
const PIECE: u8 = 2;
const WHOLE: u8 = 3;
const SPOILT: u8 = 4;
const EXHAUSTED: u8 = 5;
const CHANGED: u8 = 6;
const ALIVE: u8 = 7;
const RUN: u8 = 8;
const PACKED: u8 = 9;

/// Where frames come from.
pub(super) trait Frames: Send {
    /// The next one.
    fn next(&mut self) -> io::Result<Frame>;
}

/// Frames as they are read.
pub(super) struct Reader<R>(BufReader<R>);

impl<R: Read + Send> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self(BufReader::with_capacity(64 * 1024, from))
    }

    fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        if length > FRAME_MAX {
            return Err(senseless(format!("a frame of {length} bytes")));
        }
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        Ok((kind, bytes))
    }
}

impl<R: Read + Send> Frames for Reader<R> {
    fn next(&mut self) -> io::Result<Frame> {
        let mut message = Vec::new();
        loop {
            let (kind, mut bytes) = self.frame()?;
            let is_part = matches!(kind, PART | LAST_PART);
            if !is_part && !message.is_empty() {
                return Err(senseless("a message with something else in it"));
            }
            return Ok(match kind {
                PART if message.len() + bytes.len() > MESSAGE_MAX => {
                    return Err(senseless("a message that is too long"));
                }
                PART => {
                    message.append(&mut bytes);
                    continue;
                }
                LAST_PART => {
                    message.append(&mut bytes);
                    Frame::Message(message)
                }
                PIECE => Frame::Piece(bytes),
                PACKED => Frame::Packed(bytes),
                RUN => Frame::Run(Run::from_bytes(&bytes)?),
                WHOLE => Frame::End(Ending::Whole),
                SPOILT => Frame::End(Ending::Spoilt),
                EXHAUSTED => Frame::End(Ending::Exhausted),
                CHANGED => Frame::Changed,
                ALIVE => Frame::Alive,
                kind => return Err(senseless(format!("a frame of kind {kind}"))),
            });
        }
    }
}

/// Where frames go; whole ones only, whoever writes.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<BufWriter<Timed>>>);

impl Writer {
    pub(super) fn new(to: impl Write + Send + 'static) -> Self {
        let to = Timed::new(Box::new(to));
        Self(Arc::new(Mutex::new(BufWriter::with_capacity(
            FRAME_MAX, to,
        ))))
    }

    /// Sends a message at once.
    pub(super) fn message(&self, message: &impl Serialize) -> io::Result<()> {
        let bytes = postcard::to_allocvec(message).map_err(senseless)?;
        if bytes.len() > MESSAGE_MAX {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "more entries than can be told",
            ));
        }
        let mut to = self.lock();
        let mut parts = bytes.chunks(FRAME_MAX).peekable();
        if parts.peek().is_none() {
            frame(&mut *to, LAST_PART, &[])?;
        }
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            frame(&mut *to, if is_last { LAST_PART } else { PART }, part)?;
        }
        to.flush()
    }

    /// Adds a part of a file.
    pub(super) fn piece(&self, bytes: &[u8]) -> io::Result<()> {
        let mut to = self.lock();
        bytes
            .chunks(FRAME_MAX)
            .try_for_each(|piece| frame(&mut *to, PIECE, piece))
    }

    /// The same, made shorter by [`Packer`](super::pack::Packer).
    pub(super) fn packed(&self, packed: &[u8]) -> io::Result<()> {
        frame(&mut *self.lock(), PACKED, packed)
    }

    /// Whether the wire is so slow that contents are better made shorter.
    pub(super) fn is_slow(&self) -> bool {
        self.lock().get_ref().pace.is_slow()
    }

    #[cfg(unix)]
    #[cfg(test)]
    pub(super) fn took(&self, bytes: u64, time: std::time::Duration) {
        self.lock().get_mut().pace.add(bytes, time);
    }

    /// Adds a part of a file that the other end has.
    pub(super) fn run(&self, run: Run) -> io::Result<()> {
        frame(&mut *self.lock(), RUN, &run.to_bytes())
    }

    /// Says that a file has come to its end.
    pub(super) fn end(&self, ending: Ending) -> io::Result<()> {
        let kind = match ending {
            Ending::Whole => WHOLE,
            Ending::Spoilt => SPOILT,
            Ending::Exhausted => EXHAUSTED,
        };
        frame(&mut *self.lock(), kind, &[])
    }

    /// Says at once that the side has changed.
    pub(super) fn changed(&self) -> io::Result<()> {
        self.at_once(CHANGED)
    }

    /// Says at once that we are at work.
    pub(super) fn alive(&self) -> io::Result<()> {
        self.at_once(ALIVE)
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        self.lock().flush()
    }

    fn at_once(&self, kind: u8) -> io::Result<()> {
        let mut to = self.lock();
        frame(&mut *to, kind, &[])?;
        to.flush()
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<Timed>> {
        self.0.lock().expect("BUG: a panic under the lock")
    }
}

fn frame(to: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    let [a, b, c, d] = u32::try_from(bytes.len())
        .expect("BUG: frames are short")
        .to_le_bytes();
    to.write_all(&[kind, a, b, c, d])?;
    to.write_all(bytes)
}

/// What the other end says makes no sense.
pub(super) fn senseless(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What was written, to be looked at.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a test").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let written = Written::default();
        let writer = Writer::new(written.clone());
        let long: Vec<u8> = (0..FRAME_MAX * 2 + 1)
            .map(|at| at.to_le_bytes()[0])
            .collect();
        writer.message(&()).unwrap();
        writer.message(&long).unwrap();
        writer.piece(&long).unwrap();
        let run = Run {
            first: 0x0102_0304,
            count: 5,
        };
        writer.run(run).unwrap();
        writer.end(Ending::Spoilt).unwrap();
        writer.changed().unwrap();
        writer.alive().unwrap();
        let bytes = written.0.lock().unwrap().clone();
        let mut reader = Reader::new(&bytes[..]);
        let mut next = || reader.next().unwrap();
        assert!(matches!(next(), Frame::Message(empty) if empty.is_empty()));
        assert!(
            matches!(next(), Frame::Message(message) if message == postcard::to_allocvec(&long).unwrap())
        );
        let lengths = [(); 3].map(|()| match next() {
            Frame::Piece(piece) => piece.len(),
            other => panic!("{other:?}"),
        });
        assert_eq!(lengths, [FRAME_MAX, FRAME_MAX, 1]);
        assert!(matches!(next(), Frame::Run(read) if read == run));
        assert!(matches!(next(), Frame::End(Ending::Spoilt)));
        assert!(matches!(next(), Frame::Changed));
        assert!(matches!(next(), Frame::Alive));
        assert_eq!(
            reader.next().unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bytes in [
            &[10, 0, 0, 0, 0][..],
            &[PIECE, 255, 255, 255, 255],
            &[PART, 1, 0, 0, 0, 7, PIECE, 0, 0, 0, 0],
            &[RUN, 7, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7],
        ] {
            let error = Reader::new(bytes).next().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_are_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = Reader::new(&bytes[..]);
            let mut seen = 0;
            while let Ok(frame) = reader.next() {
                seen += 5 + match frame {
                    Frame::Message(bytes) | Frame::Piece(bytes) | Frame::Packed(bytes) => bytes.len(),
                    Frame::Run(_) => 8,
                    _ => 0,
                };
            }
            prop_assert!(seen <= bytes.len());
        }
    }
}
