//! Contents of one end for the other: whoever writes files asks, a little ahead, and the other hands over in that order.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard};

use mizzen_sync_core::{File, RelPath};
use serde::Serialize;

use super::delta::{Cuts, Cutting, Pieces, Rest, Run, average};
use super::frames::{Ending, FRAME_MAX, Frame, Frames, Writer, senseless};

use super::pack::{Packer, unpack};
use super::wanted::{Asked, Left, Wanted};
use crate::apply::{Behind, Contents, PartHere, Supply, SupplyError, Wish};

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
    /// Those of which a part is here are asked for alone: what that is must be told, and takes more bytes than a pipe
    /// holds.
    later: VecDeque<Wish>,
    /// How many more may be asked for before some have come.
    half: usize,
}

impl<A> Pulled<'_, A> {
    /// Reads what was asked for and is not wanted any more.
    pub(super) fn finish(&self) -> io::Result<()> {
        let (mut queue, mut line) = (lock(&self.queue), lock(self.line));
        queue.later.clear();
        while let Some((_, file)) = queue.asked.pop_front() {
            take(&mut line, file.size, None, &mut io::sink())?.ok();
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
        if !queue.asked.iter().any(|(asked, _)| asked == path) {
            match queue.later.iter_mut().find(|wish| wish.path == *path) {
                Some(wish) => wish.is_part_here = false,
                None => queue.later.push_front(Wish {
                    path: path.clone(),
                    file: *file,
                    is_part_here: false,
                }),
            }
        }
        loop {
            self.ask_ahead(&mut queue, &line)?;
            let Some((next, file)) = queue.asked.pop_front() else {
                // Nor did whoever wanted that one.
                queue.later.pop_front().expect("BUG: it is in the queue");
                continue;
            };
            if next == *path {
                return Ok(take(&mut line, file.size, None, to)?.map(drop));
            }
            // Whoever wanted it did not come to it.
            take(&mut line, file.size, None, &mut io::sink())?.ok();
        }
    }

    /// Hands over what is not here of one file, and says how many bytes came.
    fn pull_rest(
        &self,
        path: &RelPath,
        file: &File,
        here: &PartHere<'_>,
        to: &mut dyn Write,
    ) -> io::Result<Result<u64, SupplyError>> {
        let average = average(file.size);
        let size = here.old.and_then(|old| Some(old.metadata().ok()?.len()));
        let is_even = size == Some(file.size) && here.first.is_multiple_of(average as u64);
        let cuts = if is_even { Cuts::Even } else { Cuts::Found };
        let pieces = match here.old.map(|old| Pieces::of(old, cuts, average)) {
            Some(Err(error)) => return Ok(Err(SupplyError::File(error))),
            Some(Ok(pieces)) => Some(pieces),
            None => None,
        };
        let (mut queue, mut line) = (lock(&self.queue), lock(self.line));
        while let Some((_, file)) = queue.asked.pop_front() {
            take(&mut line, file.size, None, &mut io::sink())?.ok();
        }
        if let Some(at) = queue.later.iter().position(|wish| wish.path == *path) {
            queue.later.drain(..=at);
        }
        let left = Left {
            first: here.first,
            cuts,
            average: u32::try_from(average).unwrap_or_default(),
            sums: pieces.as_ref().map_or(Vec::new(), |it| it.sums.clone()),
        };
        let wanted = vec![Wanted::rest(path, file, left)];
        line.to.message(&(self.ask)(wanted))?;
        take(&mut line, file.size - here.first, pieces.as_ref(), to)
    }

    fn ask_ahead(&self, queue: &mut Queue, line: &Line) -> io::Result<()> {
        if queue.asked.len() > queue.half {
            return Ok(());
        }
        let (mut batch, mut asked, mut bytes) = (Vec::new(), 0, 0);
        while let Some(Wish {
            path,
            file,
            is_part_here: false,
        }) = queue.later.front()
        {
            let wanted = Wanted::new(path, file);
            asked += wanted.length();
            bytes += file.size;
            let is_full = batch.len() == FILES_AHEAD || asked > ASKED_AHEAD || bytes > BYTES_AHEAD;
            if is_full && !batch.is_empty() {
                break;
            }
            batch.push(wanted);
            let next = queue.later.pop_front();
            queue.asked.extend(next.map(|wish| (wish.path, wish.file)));
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

    fn is_far(&self) -> bool {
        true
    }

    fn expect(&self, files: Vec<Wish>) {
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

    fn supply_rest(
        &mut self,
        path: &RelPath,
        file: &File,
        here: &PartHere<'_>,
        to: &mut dyn Write,
    ) -> Result<u64, SupplyError> {
        let pulled = self.0.pull_rest(path, file, here, to);
        pulled.map_err(SupplyError::All)?
    }
}

/// Takes so many bytes of one file off the stream, to its end even when nobody wants more of it, and says how many came.
fn take(
    line: &mut Line,
    mut left: u64,
    old: Option<&Pieces<'_>>,
    to: &mut dyn Write,
) -> io::Result<Result<u64, SupplyError>> {
    let (mut came, mut refused) = (0, None);
    let mut taken = |length| -> io::Result<()> {
        if length == 0 {
            return Err(senseless("a part of a file with nothing in it"));
        }
        left = left
            .checked_sub(length)
            .ok_or_else(|| senseless("more of a file than was asked for"))?;
        Ok(())
    };
    loop {
        match line.frames.next()? {
            Frame::Piece(piece) => {
                let length = piece.len() as u64;
                taken(length)?;
                came += length;
                if refused.is_none() {
                    refused = to.write_all(&piece).err();
                }
            }
            Frame::Packed(packed) => {
                let piece = unpack(&packed)?;
                taken(piece.len() as u64)?;
                came += packed.len() as u64;
                if refused.is_none() {
                    refused = to.write_all(&piece).err();
                }
            }
            Frame::Run(run) => {
                let old = old.ok_or_else(|| senseless("a piece that nobody has"))?;
                taken(old.length(run)?)?;
                if refused.is_none() {
                    refused = old.write(run, to).err();
                }
            }
            Frame::End(ending) => {
                return Ok(match (refused, ending) {
                    (Some(error), _) => Err(SupplyError::File(error)),
                    (None, Ending::Whole) => Ok(came),
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
pub(super) fn push(supplier: &mut dyn Supply, all: &[Asked], to: &Writer) -> io::Result<()> {
    let mut packer = Packer::default();
    for asked in all {
        packer.begin();
        let mut sent = Sent {
            to,
            packer: &mut packer,
            lost: None,
        };
        let supplied = sent.all(supplier, asked);
        if let Some(error) = sent.lost {
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
struct Sent<'a> {
    to: &'a Writer,
    packer: &'a mut Packer,
    lost: Option<io::Error>,
}

impl Sent<'_> {
    /// Hands over what is asked for of one file.
    fn all(&mut self, supplier: &mut dyn Supply, asked: &Asked) -> Result<(), SupplyError> {
        let Asked { path, file, left } = asked;
        let Some(left) = left else {
            return supplier.supply(path, file, self);
        };
        let first = left.first;
        if left.sums.is_empty() {
            return supplier.supply(
                path,
                file,
                &mut Behind {
                    left: first,
                    to: self,
                },
            );
        }
        let mut cutting = Cutting::new(left.cuts, left.average as usize, &left.sums, self);
        let to = &mut cutting;
        supplier.supply(path, file, &mut Behind { left: first, to })?;
        cutting.finish().map_err(SupplyError::File)
    }

    fn kept(&mut self, sent: io::Result<()>) -> io::Result<()> {
        sent.map_err(|error| {
            let kind = error.kind();
            self.lost = Some(error);
            kind.into()
        })
    }
}

impl Rest for Sent<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = match self.to.is_slow() {
            true => bytes
                .chunks(FRAME_MAX)
                .try_for_each(|piece| match self.packer.pack(piece) {
                    Some(packed) => self.to.packed(&packed),
                    None => self.to.piece(piece),
                }),
            false => self.to.piece(bytes),
        };
        self.kept(sent)
    }

    fn run(&mut self, run: Run) -> io::Result<()> {
        let sent = self.to.run(run);
        self.kept(sent)
    }
}

impl Write for Sent<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("BUG: a panic under the lock")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use mizzen_sync_core::Digest;

    use super::super::frames::Reader;
    use super::*;

    struct Text(Vec<u8>);

    impl Supply for Text {
        fn supply(
            &mut self,
            _path: &RelPath,
            _file: &File,
            to: &mut dyn Write,
        ) -> Result<(), SupplyError> {
            to.write_all(&self.0).map_err(SupplyError::File)
        }
    }

    #[test]
    fn contents_are_packed_where_the_wire_is_slow_and_nowhere_else() {
        let text = Text("what is said again and again\n".repeat(50_000).into());
        let size = text.0.len() as u64;
        let file = File {
            digest: Digest([0; 32]),
            size,
            mtime: 0,
            executable: false,
        };
        for (second, is_packed) in [(1 << 20, true), (1 << 30, false)] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let to = Writer::new(theirs);
            to.took(second * 8, Duration::from_secs(8));
            let mut line = Line {
                frames: Box::new(Reader::new(ours)),
                to: to.clone(),
            };
            let asked = Asked {
                path: RelPath::root(),
                file,
                left: None,
            };
            let (came, got) = std::thread::scope(|scope| {
                let taking = scope.spawn(|| {
                    let mut got = Vec::new();
                    let came = take(&mut line, size, None, &mut got).unwrap().unwrap();
                    (came, got)
                });
                push(&mut Text(text.0.clone()), &[asked], &to).unwrap();
                taking.join().unwrap()
            });
            assert!(got == text.0);
            assert_eq!(came < size / 50, is_packed, "{came}");
            assert_eq!(came == size, !is_packed, "{came}");
        }
    }
}
