//! What is left when it stops in the middle, at each change of the disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const HERE: &str = "same=0 file=old1 run=old2 link->file other/x=old3 other/y->x gone/a=old4 gone/d/b=old5 \
    moved/a=old6 moved/d/b=old7 kind=old8 kind2/a=old9 partly/a=old10 partly/ignored=i partly/d/b=old11";
const THERE: &str = "same=0 file=new1 run=old2* link->other other=new3 fresh/a=new4 fresh/d/b=new5 fresh/d/l->b \
    elsewhere/a=old6 elsewhere/d/b=old7 kind/a=new8 kind/b/c=new9 kind2->kind new=new10 copy=old1";

/// Two sides with the same times, so that what moved is seen to have moved.
fn sides() -> (Side, Side) {
    let (here, there) = (Side::new(HERE), Side::new(THERE));
    for side in [&here, &there] {
        age(&side.path(""));
    }
    (here, there)
}

fn age(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let facts = entry.metadata().unwrap();
        if facts.is_dir() {
            age(&entry.path());
        } else if facts.is_file() {
            let file = fs::File::open(entry.path()).unwrap();
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
            file.set_modified(long_ago).unwrap();
        }
    }
}

/// A tap that lets so many changes pass.
fn after(
    passed: usize,
    then: impl Fn(usize) -> io::Result<()> + Send + Sync + 'static,
) -> (Tap, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let tap = Tap::new(move |_: Op, _| {
        let before = counted.fetch_add(1, Ordering::Relaxed);
        if before < passed {
            Ok(())
        } else {
            then(before - passed)
        }
    });
    (tap, count)
}

/// Every file of the root is old or new and whole, every old one is somewhere, and another run gets to the end.
fn check(here: &mut Side, there: &Side, held: &BTreeSet<Vec<u8>>, moment: &str) {
    here.tap = Tap::none();
    let whole: Vec<String> = HERE
        .split_whitespace()
        .chain(THERE.split_whitespace())
        .map(str::to_owned)
        .collect();
    for word in here.words() {
        let fits = word.ends_with('/') || whole.contains(&word);
        assert!(fits, "{moment}: {word} is neither old nor new");
    }
    assert!(
        here.all_contents().is_superset(held),
        "{moment}: something is lost"
    );
    let again = here.follow(there).unwrap();
    let kept = |failure: &Failure| matches!(failure.why, Why::NotEmpty);
    assert!(again.failed.iter().all(kept), "{moment}: {again:?}");
    let mut words = here.words();
    words.retain(|word| !word.starts_with("partly/"));
    assert_eq!(words, there.words(), "{moment}");
    assert!(
        here.all_contents().is_superset(held),
        "{moment}: something is lost"
    );
}

#[test]
fn whenever_it_is_killed_nothing_is_lost_and_another_run_gets_to_the_end() {
    for passed in 0.. {
        let (mut here, there) = sides();
        let held = here.all_contents();
        let (tap, count) = after(passed, |_| Err(io::ErrorKind::Other.into()));
        here.tap = tap;
        let _ = here.follow(&there);
        let all = count.load(Ordering::Relaxed);
        check(&mut here, &there, &held, &format!("killed at {passed}"));
        if all <= passed {
            assert!(passed > 60, "only {passed} changes");
            break;
        }
    }
}
