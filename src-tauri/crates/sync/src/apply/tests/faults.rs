//! What is left when something fails or the program is killed, at each change of the disk.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const HERE: &str = "same=0 file=old1 run=old2 link->file other/x=old3 other/y->x gone/a=old4 gone/d/b=old5 \
    moved/a=old6 moved/d/b=old7 kind=old8 kind2/a=old9 partly/a=old10 partly/ignored=i partly/d/b=old11";
const THERE: &str = "same=0 file=new1 run=old2* link->other other=new3 fresh/a=new4 fresh/d/b=new5 fresh/d/l->b \
    elsewhere/a=old6 elsewhere/d/b=old7 kind/a=new8 kind/b/c=new9 kind2->kind new=new10 copy=old1";

struct Pair {
    here: Side,
    there: Side,
    held: BTreeSet<Vec<u8>>,
}

impl Pair {
    /// Two sides whose files have the same times, so that what moved is seen to have moved.
    fn new() -> Self {
        let (here, there) = (Side::new(HERE), Side::new(THERE));
        here.age();
        there.age();
        let held = here.all_contents();
        Self { here, there, held }
    }

    /// Runs with a failure at each change for which `fails` says so, of those that a run makes; answers how many it made.
    fn run(&mut self, fails: impl Fn(usize) -> Option<ErrorKind> + Send + Sync + 'static) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        self.here.tap = Tap::new(move |_: Op, _| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            fails(number).map_or(Ok(()), |kind| Err(io::Error::from(kind)))
        });
        let applied = self
            .here
            .follow(&self.there)
            .map_err(|error| *error.applied);
        self.here.tap = Tap::none();
        for edit in applied.unwrap_or_else(|applied| applied).done {
            let found = self.here.scan().tree().get(&edit.path).cloned();
            let told = match (&found, &edit.entry) {
                (Some(found), Some(told)) => found.same(told),
                (None, None) => true,
                _ => false,
            };
            assert!(told, "{edit:?} was told, and there is {found:?}");
        }
        count.load(Ordering::Relaxed)
    }

    /// Every file is the old one or the new one and whole, every old one is somewhere, and another run gets to the end.
    fn check(&self, moment: &str) {
        let whole: HashSet<_> = HERE
            .split_whitespace()
            .chain(THERE.split_whitespace())
            .collect();
        assert!(
            self.here.all_contents().is_superset(&self.held),
            "{moment}: something is lost"
        );
        let leftovers = self.here.tidy();
        for word in self.here.words() {
            let fits = word.ends_with('/') || whole.contains(&*word);
            assert!(
                fits,
                "{moment}: {word} is neither old nor new: {leftovers:?}"
            );
        }
        assert!(
            self.here.all_contents().is_superset(&self.held),
            "{moment}: something is lost"
        );
        assert_eq!(self.here.tidy(), Leftovers::default(), "{moment}");
        let again = self.here.follow(&self.there).unwrap();
        let kept = |failure: &Failure| matches!(failure.why, Why::NotEmpty);
        assert!(again.failed.iter().all(kept), "{moment}: {again:?}");
        let mut words = self.here.words();
        words.retain(|word| !word.starts_with("partly/"));
        assert_eq!(words, self.there.words(), "{moment}");
        assert!(
            self.here.all_contents().is_superset(&self.held),
            "{moment}: something is lost"
        );
    }
}

fn at_each_change(
    what: &str,
    fails: impl Fn(usize, usize) -> Option<ErrorKind> + Copy + Send + Sync + 'static,
) {
    for first in 0.. {
        let mut pair = Pair::new();
        let made = pair.run(move |number| fails(first, number));
        pair.check(&format!("{what} at {first}"));
        if made <= first {
            assert!(first > 60, "only {first} changes");
            break;
        }
    }
}

#[test]
fn whenever_it_is_killed_nothing_is_lost_and_another_run_gets_to_the_end() {
    at_each_change("killed", |first, number| {
        (number >= first).then_some(ErrorKind::Other)
    });
}

#[test]
fn whatever_is_refused_nothing_is_lost_and_another_run_gets_to_the_end() {
    at_each_change("refused", |first, number| {
        (number == first).then_some(ErrorKind::PermissionDenied)
    });
}

#[test]
fn whenever_the_disk_is_full_nothing_is_lost_and_another_run_gets_to_the_end() {
    at_each_change("full", |first, number| {
        (number == first).then_some(ErrorKind::StorageFull)
    });
}

/// As a disk does that has met an error.
#[test]
fn whenever_the_disk_turns_read_only_nothing_is_lost_and_another_run_gets_to_the_end() {
    at_each_change("read-only", |first, number| {
        (number >= first).then_some(ErrorKind::ReadOnlyFilesystem)
    });
}

/// What is to be put back cannot be, either.
#[test]
fn whatever_fails_twice_is_found_again() {
    at_each_change("failed twice", |first, number| {
        (number == first || number == first + 1).then_some(ErrorKind::Other)
    });
    at_each_change("failed again", |first, number| {
        (number == first || number == first + 2).then_some(ErrorKind::Other)
    });
}

/// Nothing can be moved there, only copied.
#[cfg(target_os = "linux")]
#[test]
fn a_trash_on_another_file_system_loses_nothing_either() {
    use std::os::unix::fs::MetadataExt as _;

    for killed in [usize::MAX].into_iter().chain(0..140) {
        let mut pair = Pair::new();
        let elsewhere = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        pair.here.elsewhere = Some(elsewhere);
        let here = fs::metadata(pair.here.path("")).unwrap().dev();
        let trash = fs::metadata(pair.here.trash_path().parent().unwrap())
            .unwrap()
            .dev();
        assert_ne!(here, trash, "there are two file systems");
        pair.run(move |number| (number >= killed).then_some(ErrorKind::Other));
        pair.check(&format!("killed at {killed}"));
    }
}

/// Neither an exchange nor a rename that replaces nothing is known to some file systems.
#[test]
fn a_file_system_that_knows_little_is_enough() {
    for killed in [usize::MAX].into_iter().chain(0..100) {
        let mut pair = Pair::new();
        let count = AtomicUsize::new(0);
        pair.here.tap = Tap::new(move |op, _| match op {
            _ if count.fetch_add(1, Ordering::Relaxed) >= killed => Err(ErrorKind::Other.into()),
            Op::Exchange | Op::RenameNew => Err(rustix::io::Errno::INVAL.into()),
            _ => Ok(()),
        });
        let _ = pair.here.follow(&pair.there);
        pair.here.tap = Tap::none();
        pair.check(&format!("killed at {killed}"));
    }
}
