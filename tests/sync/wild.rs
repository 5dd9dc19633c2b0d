//! Two people write in both folders as they like, while who keeps them in step is killed again and again.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use mizzen_tests::dice::{Dice, asked, seed};

use crate::pair::Pair;

/// How long they write; longer by hand.
const TIME: &str = "MIZZEN_WILD_SECONDS";
const USUAL_TIME: u64 = 15;
/// Files that nobody deletes: many deletions at once are another test's matter.
const STAY: usize = 60;
const DIRS: [&str; 4] = ["", "d/", "d/e/", "f/"];
const NAMES: [&str; 5] = ["a", "b", "c", "x.txt", "y.txt"];

#[test]
fn whatever_is_written_while_it_is_killed_again_and_again_nothing_is_lost() {
    let pair = Pair::new();
    for number in 0..STAY {
        pair.put(&format!("a/stays/{number}=1"));
    }
    assert_eq!(pair.once().code, 0);
    let seed = seed();
    let ends = Instant::now() + Duration::from_secs(asked(TIME, USUAL_TIME));
    let (written, kills) = thread::scope(|scope| {
        let people = ["a", "b"].map(|side| {
            let (over, is_over) = channel();
            let mut person = Person::new(&pair, side, seed);
            let writing = scope.spawn(move || {
                while is_next(&is_over, person.dice.roll(6)) {
                    person.act();
                }
                person
            });
            (over, writing)
        });
        let kills = kill_again_and_again(&pair, Dice::new(seed ^ 7), ends);
        let people = people.map(|(over, writing)| {
            drop(over);
            writing.join().expect("a person")
        });
        (people, kills)
    });
    let operations: usize = written.iter().map(|person| person.number).sum();
    let moment = format!("seed {seed}, {kills} kills, {operations} operations");
    println!("{moment}");
    // However busy the machine, these are more than a few.
    assert!(kills > 2 && operations > 100, "{moment}");
    check(&pair, &written, &moment);
}

/// Waits a little, unless all is over.
fn is_next(over: &Receiver<()>, milliseconds: usize) -> bool {
    let wait = Duration::from_millis(milliseconds as u64);
    over.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
}

/// Keeps both in step by one process after the other; how many were killed.
fn kill_again_and_again(pair: &Pair, mut dice: Dice, ends: Instant) -> usize {
    let (_never, over) = channel();
    let mut kills = 0;
    while Instant::now() < ends {
        let mut watch = pair.sync(&["--watch", "--interval", "1"]);
        let mut watch = watch.stdout(Stdio::null()).spawn().expect("mizzen runs");
        // Now before it has looked at all, now after many cycles.
        let most = [30, 300, 3000][dice.roll(3)];
        is_next(&over, dice.roll(most));
        let ended = watch.try_wait().expect("a process");
        assert!(ended.is_none(), "it ended by itself: {ended:?}");
        watch.kill().expect("it runs");
        watch.wait().expect("it ended");
        kills += 1;
    }
    kills
}

fn check(pair: &Pair, people: &[Person; 2], moment: &str) {
    let mut held = BTreeSet::new();
    for person in people {
        held.extend(person.written.iter().cloned());
    }
    for gone in people.iter().flat_map(|person| &person.written_over) {
        held.remove(gone);
    }
    check_kept(pair, &held, moment);
    let said = pair.once();
    assert!(matches!(said.code, 0 | 1), "{moment}: {said:?}");
    check_kept(pair, &held, moment);
    // What both changed is decided at last.
    let mut decide = pair.sync(&["--once", "--mode", "two-way-host-wins"]);
    let said = decide.output().expect("mizzen runs");
    assert!(said.status.success(), "{moment}: {said:?}");
    check_kept(pair, &held, moment);
    assert_eq!(pair.words("a"), pair.words("b"), "{moment}");
    let left = pair.leftovers();
    assert!(left.is_empty(), "{moment}: left over: {left:?}");
    let again = pair.once();
    assert!(
        again.stdout.contains("nothing to do"),
        "{moment}: {again:?}"
    );
}

/// On a side, in a trash or where a person has put it: what was written is somewhere.
fn check_kept(pair: &Pair, held: &BTreeSet<Vec<u8>>, moment: &str) {
    let kept = pair.kept();
    let shown = |lost: &Vec<u8>| lost.escape_ascii().to_string();
    let lost: Vec<String> = held.difference(&kept).map(shown).collect();
    assert!(lost.is_empty(), "{moment}: lost {lost:#?}");
}

/// Somebody who writes on one side and destroys nothing but what they write over: what they delete they keep.
struct Person {
    root: PathBuf,
    attic: PathBuf,
    side: &'static str,
    dice: Dice,
    number: usize,
    /// Contents that they have made.
    written: BTreeSet<Vec<u8>>,
    /// Contents that they have written over.
    written_over: BTreeSet<Vec<u8>>,
}

impl Person {
    fn new(pair: &Pair, side: &'static str, seed: u64) -> Self {
        let attic = pair.path("attic").join(side);
        fs::create_dir_all(&attic).expect("a folder");
        Self {
            root: pair.path(side),
            attic,
            side,
            dice: Dice::new(seed + u64::from(side == "b")),
            number: 0,
            written: BTreeSet::new(),
            written_over: BTreeSet::new(),
        }
    }

    fn act(&mut self) {
        self.number += 1;
        let place = self.place();
        // Somebody else may have been faster: then it is something else's turn.
        let _impossible = match self.dice.roll(10) {
            0 | 1 => self.put_away(&place),
            2 => self.rename(&place),
            3 | 4 => self.replace(&place),
            5 => self.put_away_dir(),
            6 => self.rename_dir(),
            _ => self.write_in_place(&place),
        };
    }

    fn place(&mut self) -> PathBuf {
        let dir = DIRS[self.dice.roll(DIRS.len())];
        let name = NAMES[self.dice.roll(NAMES.len())];
        self.root.join(format!("{dir}{name}"))
    }

    fn dir(&mut self) -> PathBuf {
        let dir = DIRS[1 + self.dice.roll(DIRS.len() - 1)];
        self.root.join(dir.trim_end_matches('/'))
    }

    /// Contents that nobody else writes; now and then a line of a text that the other side may change elsewhere.
    fn contents(&mut self, old: &[u8]) -> Vec<u8> {
        let mark = format!("{} {}", self.side, self.number);
        let line = self.dice.roll(8);
        let mut lines: Vec<&[u8]> = old.split(|byte| *byte == b'\n').collect();
        if self.dice.roll(3) > 0 || line >= lines.len() {
            lines = vec![b"", b"", b"", b"", b"", b"", b"", b""];
        }
        lines[line.min(7)] = mark.as_bytes();
        lines.join(&b'\n')
    }

    /// Another name outside of the folder.
    fn put_away(&self, place: &Path) -> std::io::Result<()> {
        move_only(place, &self.attic.join(self.number.to_string()))
    }

    fn put_away_dir(&mut self) -> std::io::Result<()> {
        // Seldom: else there would be none.
        match self.dice.roll(4) {
            0 => {
                let dir = self.dir();
                self.put_away(&dir)
            }
            _ => Ok(()),
        }
    }

    fn rename(&mut self, place: &Path) -> std::io::Result<()> {
        let to = self.place();
        fs::create_dir_all(to.parent().expect("a folder"))?;
        move_only(place, &to)
    }

    fn rename_dir(&mut self) -> std::io::Result<()> {
        let (from, to) = (self.dir(), self.dir());
        move_only(&from, &to)
    }

    /// Puts a new file in its place, as many editors do.
    fn replace(&mut self, place: &Path) -> std::io::Result<()> {
        let old = fs::read(place).unwrap_or_default();
        let contents = self.contents(&old);
        let new = self.attic.join(format!("new{}", self.number));
        fs::create_dir_all(place.parent().expect("a folder"))?;
        fs::File::create(&new)?.write_all(&contents)?;
        self.written.insert(contents);
        let _nothing_there = self.put_away(place);
        move_only(&new, place)
    }

    /// Writes over what is there.
    fn write_in_place(&mut self, place: &Path) -> std::io::Result<()> {
        fs::create_dir_all(place.parent().expect("a folder"))?;
        let mut options = fs::File::options();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(place)?;
        let mut old = Vec::new();
        file.read_to_end(&mut old)?;
        let contents = self.contents(&old);
        self.written_over.insert(old);
        file.set_len(0)?;
        std::io::Seek::rewind(&mut file)?;
        file.write_all(&contents)?;
        self.written.insert(contents);
        Ok(())
    }
}

/// Destroys nothing.
fn move_only(from: &Path, to: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}
