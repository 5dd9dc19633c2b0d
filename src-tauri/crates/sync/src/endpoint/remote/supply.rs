//! Contents of one end for the other: whoever writes files asks, a little ahead, and the other hands over in that order.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard};

use mizzen_sync_core::{File, RelPath};
use serde::Serialize;

use super::frames::{Ending, Frame, Frames, Writer, senseless};
use super::message::Wanted;
use crate::apply::{Contents, Supply, SupplyError};

/// Files that are asked for at once,
const FILES_AHEAD: usize = 256;
/// as far as asking takes no more bytes than a pipe holds without a reader,
const ASKED_AHEAD: usize = 24 * 1024;
/// and what is not wanted any more is soon read to its end.
const BYTES_AHEAD: u64 = 4 * 1024 * 1024;

/// Both directions of a stream.
pub(super) struct Line {
    pub(super) frames: Box<dyn Frames>,
    pub(super) to: Writer,
}

/// Contents of the other end.
pub(super) struct Pulled<'a, A> {
    line: &'a Mutex<Line>,
    /// How the other end is asked.
    ask: A,
    queue: Mutex<Queue>,
}

/// Files in the order in which they will be wanted.
#[derive(Default)]
struct Queue {
    asked: VecDeque<(RelPath, File)>,
    later: VecDeque<(RelPath, File)>,
    /// How many more may be asked for before some have come.
    half: usize,
}

impl<A> Pulled<'_, A> {
    /// Reads what was asked for and is not wanted any more.
    pub(super) fn finish(&self) -> io::Result<()> {
        let (mut queue, mut line) = (lock(&self.queue), lock(self.line));
        queue.later.clear();
        while let Some((_, file)) = queue.asked.pop_front() {
            take(&mut line, &file, &mut io::sink())?.ok();
        }
        Ok(())
    }
}

impl<A> Drop for Pulled<'_, A> {
    fn drop(&mut self) {
        // A stream that is broken tells so to the next question.
        let _ = self.finish();
    }
}

impl<'a, A, M> Pulled<'a, A>
where
    A: Fn(Vec<Wanted>) -> M + Sync,
    M: Serialize,
{
    pub(super) fn new(line: &'a Mutex<Line>, ask: A) -> Self {
        Self {
            line,
            ask,
            queue: Mutex::default(),
        }
    }

    /// Hands over one file; the outer error is the stream's.
    fn pull(
        &self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> io::Result<Result<(), SupplyError>> {
        let (mut queue, mut line) = (lock(&self.queue), lock(self.line));
        let mut queued = queue.asked.iter().chain(&queue.later);
        let expected = queued.any(|(queued, _)| queued == path);
        if !expected {
            queue.later.push_front((path.clone(), *file));
        }
        loop {
            self.ask_ahead(&mut queue, &line)?;
            let (next, file) = queue.asked.pop_front().expect("BUG: it is in the queue");
            if next == *path {
                return take(&mut line, &file, to);
            }
            // Whoever wanted it did not come to it.
            take(&mut line, &file, &mut io::sink())?.ok();
        }
    }

    fn ask_ahead(&self, queue: &mut Queue, line: &Line) -> io::Result<()> {
        if queue.asked.len() > queue.half {
            return Ok(());
        }
        let (mut batch, mut asked, mut bytes) = (Vec::new(), 0, 0);
        while let Some((path, file)) = queue.later.front() {
            let wanted = Wanted::new(path, file);
            asked += wanted.length();
            bytes += file.size;
            let is_full = batch.len() == FILES_AHEAD || asked > ASKED_AHEAD || bytes > BYTES_AHEAD;
            if is_full && !batch.is_empty() {
                break;
            }
            batch.push(wanted);
            queue.asked.extend(queue.later.pop_front());
        }
        queue.half = queue.asked.len() / 2;
        if batch.is_empty() {
            return Ok(());
        }
        line.to.message(&(self.ask)(batch))
    }
}

impl<A, M> Contents for Pulled<'_, A>
where
    A: Fn(Vec<Wanted>) -> M + Sync,
    M: Serialize,
{
    fn suppliers(&self) -> usize {
        1
    }

    fn expect(&self, files: Vec<(RelPath, File)>) {
        lock(&self.queue).later.extend(files);
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(Puller(self))
    }
}

struct Puller<'p, 'a, A>(&'p Pulled<'a, A>);

impl<A, M> Supply for Puller<'_, '_, A>
where
    A: Fn(Vec<Wanted>) -> M + Sync,
    M: Serialize,
{
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError> {
        self.0.pull(path, file, to).map_err(SupplyError::All)?
    }
}

/// Takes one file off the stream, to its end even when nobody wants more of it.
fn take(line: &mut Line, file: &File, to: &mut dyn Write) -> io::Result<Result<(), SupplyError>> {
    let (mut left, mut refused) = (file.size, None);
    loop {
        match line.frames.next()? {
            Frame::Piece(piece) => {
                let length = piece.len() as u64;
                left = left
                    .checked_sub(length)
                    .ok_or_else(|| senseless("more of a file than was asked for"))?;
                if refused.is_none() {
                    refused = to.write_all(&piece).err();
                }
            }
            Frame::End(ending) => {
                return Ok(match (refused, ending) {
                    (Some(error), _) => Err(SupplyError::File(error)),
                    (None, Ending::Whole) => Ok(()),
                    (None, Ending::Spoilt) => Err(SupplyError::File(gone())),
                    (None, Ending::Exhausted) => Err(SupplyError::All(gone())),
                });
            }
            Frame::Alive | Frame::Changed => {}
            Frame::Message(_) => return Err(senseless("a message within a file")),
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the other side cannot hand it over")
}

/// Hands over files in the order in which they are asked for.
pub(super) fn push<'f>(
    supplier: &mut dyn Supply,
    files: impl IntoIterator<Item = &'f (RelPath, File)>,
    to: &Writer,
) -> io::Result<()> {
    for (path, file) in files {
        let mut pieces = Pieces { to, lost: None };
        let supplied = supplier.supply(path, file, &mut pieces);
        if let Some(error) = pieces.lost {
            return Err(error);
        }
        to.end(match supplied {
            Ok(()) => Ending::Whole,
            Err(SupplyError::File(_)) => Ending::Spoilt,
            Err(SupplyError::All(_)) => Ending::Exhausted,
        })?;
    }
    to.flush()
}

/// Sends what is written.
struct Pieces<'a> {
    to: &'a Writer,
    lost: Option<io::Error>,
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.to.piece(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                let kind = error.kind();
                self.lost = Some(error);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("BUG: a panic under the lock")
}
