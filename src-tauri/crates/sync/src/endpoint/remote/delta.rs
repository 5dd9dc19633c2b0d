//! What is sent of a large file of which the other end has an older version.
//!
//! Both ends cut contents where the contents say so (FastCDC, Xia et al., 2016), so that an edit moves no cut but those
//! beside it. Who wants the file tells short sums of the pieces of what it has, who has it answers with their numbers,
//! and with bytes where there is none. Sums may be wrong by chance or by intent: the whole file's digest decides.
//!
//! To find such cuts takes longer than the sums. A file that has kept its size was most likely written in place, as
//! databases and disks of virtual machines are: it is cut evenly.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use fastcdc::v2020::FastCDC;
use serde::{Deserialize, Serialize};

use super::frames::senseless;

/// So much of a piece's digest tells it from the others of one file.
pub(super) type Sum = [u8; 8];

/// Most sums that are told of a file: those of a terabyte. What is behind is taken for new.
pub(super) const SUMS_MAX: usize = 256 * 1024;

/// Average lengths of pieces; the longest is four times as long.
const AVERAGE_MIN: usize = 4 * 1024;
const AVERAGE_MAX: usize = 4 * 1024 * 1024;

/// As much as is read at once.
const READ: usize = 256 * 1024;

/// The average length of pieces for which an edit of a file of this size costs the least: a long list of sums costs as
/// much as a long piece.
pub(super) fn average(size: u64) -> usize {
    let best = (size * size_of::<Sum>() as u64).isqrt();
    let best = usize::try_from(best).unwrap_or(AVERAGE_MAX);
    best.clamp(AVERAGE_MIN, AVERAGE_MAX).next_power_of_two()
}

/// Whether an end may ask for pieces of this length.
pub(super) fn is_average(length: usize) -> bool {
    (AVERAGE_MIN..=AVERAGE_MAX).contains(&length) && length.is_power_of_two()
}

/// How contents are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Cuts {
    /// Every so many bytes.
    Even,
    /// Where the contents say so.
    Found,
}

fn sum(piece: &[u8]) -> Sum {
    let digest = blake3::hash(piece);
    std::array::from_fn(|at| digest.as_bytes()[at])
}

/// Cuts contents that come bit by bit.
struct Cutter {
    cuts: Cuts,
    average: usize,
    buffer: Vec<u8>,
    /// What of it has been told.
    start: usize,
}

impl Cutter {
    fn new(cuts: Cuts, average: usize) -> Self {
        Self {
            cuts,
            average,
            buffer: Vec::new(),
            start: 0,
        }
    }

    fn longest(&self) -> usize {
        match self.cuts {
            Cuts::Even => self.average,
            Cuts::Found => self.average * 4,
        }
    }

    /// Takes what comes next, and tells the pieces that are whole by then.
    fn push(
        &mut self,
        bytes: &[u8],
        tell: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        for bytes in bytes.chunks(self.longest()) {
            if self.buffer.len() + bytes.len() > 2 * self.longest() {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            self.buffer.extend_from_slice(bytes);
            while self.buffer.len() - self.start >= self.longest() {
                self.cut(tell)?;
            }
        }
        Ok(())
    }

    /// Tells the rest.
    fn finish(&mut self, tell: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        while self.start < self.buffer.len() {
            self.cut(tell)?;
        }
        Ok(())
    }

    fn cut(&mut self, tell: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let rest = &self.buffer[self.start..];
        let end = match self.cuts {
            Cuts::Even => rest.len().min(self.average),
            Cuts::Found => {
                let cutter = FastCDC::new(rest, self.average / 4, self.average, self.longest());
                cutter.cut(0, rest.len()).1
            }
        };
        tell(&rest[..end])?;
        self.start += end;
        Ok(())
    }
}

/// The older version of a file, in pieces.
pub(super) struct Pieces<'a> {
    file: &'a File,
    pub(super) sums: Vec<Sum>,
    /// Where each of them lies, and how long it is.
    places: Vec<(u64, usize)>,
}

impl<'a> Pieces<'a> {
    /// Cuts a file. A piece that comes more than once counts once.
    pub(super) fn of(mut file: &'a File, cuts: Cuts, average: usize) -> io::Result<Self> {
        let mut pieces = Self {
            file,
            sums: Vec::new(),
            places: Vec::new(),
        };
        let (mut known, mut at) = (HashSet::new(), 0);
        let mut tell = |piece: &[u8]| {
            let sum = sum(piece);
            if pieces.sums.len() < SUMS_MAX && known.insert(sum) {
                pieces.sums.push(sum);
                pieces.places.push((at, piece.len()));
            }
            at += piece.len() as u64;
            Ok(())
        };
        let mut cutter = Cutter::new(cuts, average);
        let mut buffer = vec![0; READ];
        file.seek(SeekFrom::Start(0))?;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            cutter.push(&buffer[..read], &mut tell)?;
        }
        cutter.finish(&mut tell)?;
        Ok(pieces)
    }

    /// How long a run of pieces is.
    pub(super) fn length(&self, run: Run) -> io::Result<u64> {
        let places = self.run(run)?.iter();
        Ok(places.map(|(_, length)| *length as u64).sum())
    }

    /// Writes a run of pieces.
    pub(super) fn write(&self, run: Run, to: &mut dyn Write) -> io::Result<()> {
        let (mut file, mut buffer) = (self.file, Vec::new());
        for &(at, length) in self.run(run)? {
            buffer.resize(length, 0);
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut buffer)?;
            to.write_all(&buffer)?;
        }
        Ok(())
    }

    fn run(&self, Run { first, count }: Run) -> io::Result<&[(u64, usize)]> {
        let end = (first as usize).saturating_add(count as usize);
        self.places
            .get(first as usize..end)
            .ok_or_else(|| senseless("a piece that nobody has"))
    }
}

/// Pieces that follow each other, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Run {
    pub(super) fn to_bytes(self) -> [u8; 8] {
        let numbers = [self.first.to_le_bytes(), self.count.to_le_bytes()];
        std::array::from_fn(|at| numbers[at / 4][at % 4])
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        let Ok([a, b, c, d, e, f, g, h]) = <[u8; 8]>::try_from(bytes) else {
            return Err(senseless("no pieces"));
        };
        Ok(Self {
            first: u32::from_le_bytes([a, b, c, d]),
            count: u32::from_le_bytes([e, f, g, h]),
        })
    }
}

/// Where contents go as far as the other end does not have them.
pub(super) trait Rest {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn run(&mut self, run: Run) -> io::Result<()>;
}

/// Cuts what is written, and passes on numbers for what the other end has.
pub(super) struct Cutting<'a> {
    cutter: Cutter,
    numbers: HashMap<Sum, u32>,
    run: Option<Run>,
    to: &'a mut dyn Rest,
}

impl<'a> Cutting<'a> {
    pub(super) fn new(cuts: Cuts, average: usize, sums: &[Sum], to: &'a mut dyn Rest) -> Self {
        Self {
            cutter: Cutter::new(cuts, average),
            numbers: sums.iter().copied().zip(0..).collect(),
            run: None,
            to,
        }
    }

    /// Passes on the rest.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.cut(None)?;
        match self.run.take() {
            Some(run) => self.to.run(run),
            None => Ok(()),
        }
    }

    /// Takes what comes next, or learns that nothing does.
    fn cut(&mut self, bytes: Option<&[u8]>) -> io::Result<()> {
        let Self {
            cutter,
            numbers,
            run,
            to,
        } = self;
        let mut tell = |piece: &[u8]| {
            let number = numbers.get(&sum(piece)).copied();
            match (&mut *run, number) {
                (Some(run), Some(number)) if run.first.checked_add(run.count) == Some(number) => {
                    run.count += 1;
                    return Ok(());
                }
                _ => {}
            }
            if let Some(run) = run.take() {
                to.run(run)?;
            }
            match number {
                Some(first) => *run = Some(Run { first, count: 1 }),
                None => to.bytes(piece)?,
            }
            Ok(())
        };
        match bytes {
            Some(bytes) => cutter.push(bytes, &mut tell),
            None => cutter.finish(&mut tell),
        }
    }
}

impl Write for Cutting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cut(Some(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What was passed on, by an end that has the older version.
    #[derive(Default)]
    struct Sent {
        parts: Vec<Part>,
    }

    enum Part {
        Bytes(Vec<u8>),
        Run(Run),
    }

    impl Rest for Sent {
        fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.parts.push(Part::Bytes(bytes.to_vec()));
            Ok(())
        }

        fn run(&mut self, run: Run) -> io::Result<()> {
            self.parts.push(Part::Run(run));
            Ok(())
        }
    }

    fn file(contents: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(contents).expect("room");
        file
    }

    /// Contents that look random; another seed, other contents.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut reader = blake3::Hasher::new()
            .update(&seed.to_le_bytes())
            .finalize_xof();
        let mut noise = vec![0; length];
        reader.fill(&mut noise);
        noise
    }

    /// What becomes of new contents, and how many bytes of them were sent.
    fn carried(cuts: Cuts, old: &[u8], new: &[u8], step: usize) -> (Vec<u8>, usize) {
        let (old, average) = (file(old), average(old.len() as u64));
        let pieces = Pieces::of(&old, cuts, average).expect("a file");
        let mut sent = Sent::default();
        let mut cutting = Cutting::new(cuts, average, &pieces.sums, &mut sent);
        for bytes in new.chunks(step) {
            cutting.write_all(bytes).expect("a list");
        }
        cutting.finish().expect("a list");
        let (mut made, mut bytes) = (Vec::new(), 0);
        for part in sent.parts {
            match part {
                Part::Bytes(part) => {
                    bytes += part.len();
                    made.extend(part);
                }
                Part::Run(run) => {
                    let length = made.len() as u64 + pieces.length(run).expect("pieces");
                    pieces.write(run, &mut made).expect("a file");
                    assert_eq!(made.len() as u64, length);
                }
            }
        }
        (made, bytes)
    }

    #[test]
    fn an_edit_sends_little_more_than_itself() {
        let old = noise(4 << 20, 1);
        let edit = noise(1024, 2);
        let (mut new, at) = (old.clone(), 1 << 20);
        new[at..at + 1024].copy_from_slice(&edit);
        let (made, bytes) = carried(Cuts::Even, &old, &new, 100_000);
        assert!(made == new);
        assert_eq!(bytes, average(4 << 20));
        for (at, removed) in [
            (1 << 20, 1024),
            (1 << 20, 0),
            (0, 0),
            (4 << 20, 0),
            (77, 5000),
        ] {
            let mut new = old.clone();
            new.splice(at..at + removed, edit.iter().copied());
            let (made, bytes) = carried(Cuts::Found, &old, &new, 100_000);
            assert!(made == new, "{at} {removed}");
            assert!(
                (1024..64 * 1024).contains(&bytes),
                "{at} {removed}: {bytes}"
            );
        }
    }

    #[test]
    fn zeros_without_end_are_few_sums() {
        let sparse = file(b"");
        sparse.set_len(1 << 30).unwrap();
        let average = average(1 << 30);
        let pieces = Pieces::of(&sparse, Cuts::Found, average).unwrap();
        assert_eq!(pieces.sums.len(), 1);
    }

    #[test]
    fn files_of_any_size_make_no_more_sums_than_are_told() {
        for (size, average_of_it) in [
            (0, AVERAGE_MIN),
            (1 << 20, 4096),
            (1 << 30, 128 * 1024),
            (u64::MAX >> 8, AVERAGE_MAX),
        ] {
            assert_eq!(average(size), average_of_it, "{size}");
            assert!(is_average(average(size)));
        }
        assert!(u64::try_from(SUMS_MAX * AVERAGE_MAX).unwrap() >= 1 << 40);
        for wrong in [0, 4095, 4097, AVERAGE_MAX * 2] {
            assert!(!is_average(wrong));
        }
    }

    #[test]
    fn pieces_that_nobody_has_are_refused() {
        let old = file(&noise(100_000, 1));
        let pieces = Pieces::of(&old, Cuts::Found, AVERAGE_MIN).unwrap();
        let all = u32::try_from(pieces.sums.len()).unwrap();
        for (first, count) in [(all, 1), (0, all + 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
            assert!(pieces.length(Run { first, count }).is_err());
        }
        assert_eq!(
            pieces
                .length(Run {
                    first: 0,
                    count: all
                })
                .unwrap(),
            100_000
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn whatever_was_edited_comes_whole(
            length in 0..200_000_usize,
            edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..9000_usize, 0..9000_usize), 0..4),
            step in 1..70_000_usize,
            is_even in any::<bool>(),
        ) {
            let old = noise(length, 1);
            let mut new = old.clone();
            for (at, removed, added) in edits {
                let at = at.index(new.len() + 1);
                let end = (at + removed).min(new.len());
                new.splice(at..end, noise(added, 2));
            }
            let cuts = if is_even { Cuts::Even } else { Cuts::Found };
            let (made, _) = carried(cuts, &old, &new, step.max(new.len() / 100 + 1));
            prop_assert!(made == new);
        }
    }
}
