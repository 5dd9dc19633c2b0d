//! What came a long way is not sent again.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use mizzen_sync_core::File;

use super::*;
use crate::trash::Retention;

const MIB: usize = 1024 * 1024;
/// As much as is handed over at once.
const PIECE: u64 = 256 * 1024;

/// Hands over so many bytes, and counts them.
struct Far<'a> {
    root: &'a Root,
    left: AtomicU64,
    came: AtomicU64,
}

impl<'a> Far<'a> {
    fn new(root: &'a Root, left: u64) -> Self {
        let (left, came) = (left.into(), 0.into());
        Self { root, left, came }
    }
}

struct Counted<'a, 'w>(&'a Far<'a>, &'w mut dyn Write);

impl Write for Counted<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        let left = self.0.left.load(Ordering::Relaxed);
        let left = left.checked_sub(length).ok_or(ErrorKind::BrokenPipe)?;
        self.0.left.store(left, Ordering::Relaxed);
        self.0.came.fetch_add(length, Ordering::Relaxed);
        self.1.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Contents for Far<'_> {
    fn suppliers(&self) -> usize {
        1
    }

    fn is_far(&self) -> bool {
        true
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(FarSupply(self, FromHandle::new(self.root.handle())))
    }
}

struct FarSupply<'a>(&'a Far<'a>, FromHandle);

impl Supply for FarSupply<'_> {
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError> {
        let nothing = PartHere::default();
        self.supply_rest(path, file, &nothing, to).map(drop)
    }

    fn supply_rest(
        &mut self,
        path: &RelPath,
        file: &File,
        here: &PartHere<'_>,
        to: &mut dyn Write,
    ) -> Result<u64, SupplyError> {
        let mut counted = Counted(self.0, to);
        let (left, to) = (here.first, &mut counted);
        let supplied = self.1.supply(path, file, &mut Behind { left, to });
        match supplied {
            Err(SupplyError::File(error)) if error.kind() == ErrorKind::BrokenPipe => {
                Err(SupplyError::All(error))
            }
            supplied => supplied.map(|()| file.size - here.first),
        }
    }
}

fn noise(length: usize, seed: &str) -> Vec<u8> {
    let mut noise = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(seed.as_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise
}

struct Pair {
    here: Side,
    there: Side,
    total: u64,
}

impl Pair {
    fn new() -> Self {
        let (here, there) = (Side::new("large=old same=0"), Side::new("same=0"));
        write(&there.path("large"), &noise(MIB + 77, "large"));
        write(&there.path("d/e/large"), &noise(MIB, "other"));
        for number in 0..5 {
            let name = format!("d/small-{number}");
            write(&there.path(&name), &noise(1000 + number, &name));
        }
        here.age();
        there.age();
        let total = (2 * MIB + 77 + 5 * 1000 + 10) as u64;
        Self { here, there, total }
    }

    /// Lets so many bytes come, and tells how many did.
    fn follow(&self, left: u64) -> (Result<Applied, ApplyError>, u64) {
        let root = self.there.root();
        let far = Far::new(&root, left);
        let before = self.here.scan();
        let plan = decide(&self.there.scan(), &before).container;
        let (root, trash) = (self.here.root(), self.here.trash());
        let applied = apply(&root, &plan, &before, &far, &trash, &self.here.options);
        (applied, far.came.into_inner())
    }

    /// Another run gets to the end, and tells how many bytes came for it.
    fn check_end(&self) -> u64 {
        let (applied, came) = self.follow(u64::MAX);
        let applied = applied.unwrap();
        assert!(applied.failed.is_empty(), "{applied:?}");
        assert!(applied.bytes <= came, "{} {came}", applied.bytes);
        assert!(self.here.words() == self.there.words());
        assert!(came == 0 || !self.shelf().exists());
        came
    }

    fn shelf(&self) -> PathBuf {
        self.here.trash_path().join("shelf")
    }
}

#[test]
fn wherever_it_is_cut_the_next_one_goes_on_from_there() {
    let total = Pair::new().total;
    for left in (0..total).step_by(PIECE as usize / 4 * 3) {
        let pair = Pair::new();
        let words = pair.here.words();
        let (cut, came) = pair.follow(left);
        assert_eq!(cut.unwrap_err().source.kind(), ErrorKind::BrokenPipe);
        assert!(pair.here.words() == words, "{left}");
        assert_eq!(came + pair.check_end(), total, "{left}");
    }
}

#[test]
fn whenever_it_is_killed_no_more_is_sent_again_than_was_under_way() {
    for first in 0.. {
        let mut pair = Pair::new();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        pair.here.tap = Tap::new(move |_: Op, _| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            match number < first {
                true => Ok(()),
                false => Err(ErrorKind::Other.into()),
            }
        });
        let (_, came) = pair.follow(u64::MAX);
        pair.here.tap = Tap::none();
        pair.here.tidy();
        let again = pair.check_end();
        assert!(
            came + again <= pair.total + PIECE,
            "{first}: {came} {again}"
        );
        if count.load(Ordering::Relaxed) <= first {
            assert!(first > 20, "only {first} changes");
            break;
        }
    }
}

#[test]
fn where_there_is_no_room_none_is_kept() {
    for first in 4..24 {
        let mut pair = Pair::new();
        let count = AtomicUsize::new(0);
        pair.here.tap = Tap::new(move |op: Op, _| {
            match op == Op::Write && count.fetch_add(1, Ordering::Relaxed) >= first {
                true => Err(ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        });
        let (ended, _) = pair.follow(u64::MAX);
        pair.here.tap = Tap::none();
        let Err(ended) = ended else { break };
        assert_eq!(ended.source.kind(), ErrorKind::StorageFull);
        let held = fs::read_dir(pair.shelf()).map_or(0, Iterator::count);
        assert_eq!(held, 0, "{first}");
        pair.check_end();
    }
}

#[test]
fn what_is_not_what_it_is_called_is_sent_anew() {
    for length in [10, MIB + 77, 3 * MIB] {
        let pair = Pair::new();
        pair.follow(PIECE * 6).0.unwrap_err();
        let mut held = 0;
        for entry in fs::read_dir(pair.shelf()).unwrap() {
            write(&entry.unwrap().path(), &vec![0; length]);
            held += 1;
        }
        assert!(held > 0);
        pair.check_end();
    }
}

#[test]
fn a_file_that_somebody_has_is_never_gone_on_with() {
    let pair = Pair::new();
    fs::create_dir_all(pair.shelf()).unwrap();
    write(&pair.here.path("ignored"), &noise(1000, "large"));
    let name = blake3::hash(&noise(MIB + 77, "large")).to_hex();
    fs::hard_link(pair.here.path("ignored"), pair.shelf().join(&*name)).unwrap();
    let (applied, came) = pair.follow(u64::MAX);
    assert!(applied.unwrap().failed.is_empty());
    assert_eq!(came, pair.total);
    assert!(fs::read(pair.here.path("ignored")).unwrap() == noise(1000, "large"));
}

#[test]
fn what_nobody_comes_back_for_goes() {
    let day = Duration::from_secs(24 * 60 * 60);
    let now = crate::now();
    let later = now + i64::try_from((day * 4).as_nanos()).unwrap();
    let all = Retention {
        age: day * 30,
        bytes: u64::MAX,
    };
    let some = Retention {
        bytes: 300_000,
        ..all
    };
    for (retention, now, left) in [(all, now, 7), (some, now, 5), (all, later, 0)] {
        let pair = Pair::new();
        pair.follow(pair.total - 1).0.unwrap_err();
        assert!(pair.shelf().exists());
        pair.here.trash().prune(&retention, now).unwrap();
        let held = fs::read_dir(pair.shelf()).map_or(0, Iterator::count);
        assert!(held <= left && (held > 0) == (left > 0), "{held} {left}");
        pair.check_end();
    }
}
