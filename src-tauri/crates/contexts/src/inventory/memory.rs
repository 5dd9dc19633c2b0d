//! What one look remembers, so that the next reads only what has changed since.

use std::collections::BTreeMap;
use std::time::Duration;

use mizzen_fsx::{Listed, Mark, SafeDir};

use super::Entry;

/// File systems tell the time of a change in steps, of two seconds at worst. So a stamp that has been seen for longer
/// than that tells of every change to come, and one that has not may stand for two contents.
const SETTLED: Duration = Duration::from_secs(3);
/// Entries of a folder that are told apart; what holds more is read each time.
const ENTRIES_MAX: usize = 64;

/// Of a store at rest, one context in so many is looked at each time.
pub(crate) const SHARES: u64 = 10;

/// One in [`SHARES`] of the contexts, others with each number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) u64);

impl Share {
    pub(super) fn takes_in(self, folder: &str) -> bool {
        // Folders are named by digests, so that any sum deals them out evenly.
        folder.bytes().map(u64::from).sum::<u64>() % SHARES == self.0 % SHARES
    }
}

/// A clock that only goes forward.
pub(crate) type Clock<'a> = &'a dyn Fn() -> Duration;

/// What is remembered of one side.
#[derive(Default)]
pub(crate) struct Memory {
    /// By folder of `meta/`.
    pub(super) folders: BTreeMap<String, Remembered<Entry>>,
    /// What is in `meta/`, or why that cannot be told; `tls/` is marked with it.
    pub(super) listed: Option<Remembered<Result<Vec<Listed>, String>>>,
    /// How often a look met another file or folder than the look before.
    pub(super) moves: u64,
}

impl Memory {
    /// Grows whenever a look meets other files or folders than the look before.
    pub(crate) fn moves(&self) -> u64 {
        self.moves
    }
}

/// An entry, and how far below it something is read.
pub(crate) struct Place<'a> {
    pub(crate) dir: &'a SafeDir,
    pub(crate) name: &'a str,
    pub(crate) depth: usize,
}

impl Place<'_> {
    fn mark(&self) -> Option<Mark> {
        self.dir.mark(self.name, self.depth, ENTRIES_MAX)
    }
}

/// What was read, and the marks that its places had before.
pub(crate) struct Remembered<T> {
    value: T,
    /// None where they cannot be told.
    marks: Option<Vec<Mark>>,
    /// When a look first met these marks.
    since: Duration,
    /// It was read when its marks were settled: as long as they stay, so does the value.
    is_settled: bool,
}

impl<T: Clone> Remembered<T> {
    /// The value, read anew unless all is as it was; and whether other files or folders are there than before.
    pub(crate) fn look(
        memory: &mut Option<Self>,
        places: &[Place<'_>],
        now: Clock<'_>,
        read: impl FnOnce() -> T,
        lasts: impl FnOnce(&T) -> bool,
    ) -> (T, bool) {
        if let Some(known) = memory.as_ref().filter(|known| known.still_holds(places)) {
            return (known.value.clone(), false);
        }
        let (known, has_moved) = Self::read(memory.as_ref(), places, now, read, lasts);
        let value = known.value.clone();
        *memory = Some(known);
        (value, has_moved)
    }

    /// Whether the value is the same still, read anew unless all is as it was; and whether other files or folders are
    /// there than before.
    pub(super) fn look_again(
        &mut self,
        places: &[Place<'_>],
        now: Clock<'_>,
        read: impl FnOnce() -> T,
        lasts: impl FnOnce(&T) -> bool,
    ) -> (bool, bool)
    where
        T: PartialEq,
    {
        if self.still_holds(places) {
            return (true, false);
        }
        let (known, has_moved) = Self::read(Some(self), places, now, read, lasts);
        let is_same = known.value == self.value;
        *self = known;
        (is_same, has_moved)
    }

    fn read(
        before: Option<&Self>,
        places: &[Place<'_>],
        now: Clock<'_>,
        read: impl FnOnce() -> T,
        lasts: impl FnOnce(&T) -> bool,
    ) -> (Self, bool) {
        // Marks come first: what changes while it is read has others at the next look.
        let met = now();
        let marks: Option<Vec<Mark>> = places.iter().map(Place::mark).collect();
        let before = before.filter(|known| marks.is_some() && known.marks == marks);
        let value = read();
        let since = before.map(|known| known.since);
        let known = Self {
            is_settled: lasts(&value) && since.is_some_and(|since| met >= since + SETTLED),
            since: since.unwrap_or_else(now),
            value,
            marks,
        };
        (known, since.is_none())
    }

    /// Whether it was read so that whatever changes it changes its marks.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    fn still_holds(&self, places: &[Place<'_>]) -> bool {
        let marks = self.marks.as_ref().filter(|_| self.is_settled);
        marks.is_some_and(|marks| {
            let mut both = marks.iter().zip(places);
            marks.len() == places.len()
                && both.all(|(mark, place)| place.dir.is_as(place.name, mark))
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use mizzen_fsx::write_atomic;

    use super::*;

    /// Looks at `f` again and again, on a clock that the test sets.
    struct Looks {
        home: tempfile::TempDir,
        now: Cell<Duration>,
        memory: Option<Remembered<String>>,
    }

    impl Looks {
        fn new() -> Self {
            let home = tempfile::tempdir().expect("a scratch folder");
            let (now, memory) = (Cell::default(), None);
            let looks = Self { home, now, memory };
            looks.write("one");
            looks
        }

        fn write(&self, text: &str) {
            write_atomic(self.home.path().join("f"), text.as_bytes()).expect("a file");
        }

        /// What a look comes to after so many milliseconds, and whether it read the file.
        fn after(&mut self, ms: u64, lasts: bool) -> (String, bool) {
            self.now.set(self.now.get() + Duration::from_millis(ms));
            let dir = SafeDir::open(self.home.path()).expect("a folder");
            let (name, depth) = ("f", 1);
            let places = [Place {
                dir: &dir,
                name,
                depth,
            }];
            let was_read = Cell::new(false);
            let read = || {
                was_read.set(true);
                fs::read_to_string(self.home.path().join("f")).expect("a file")
            };
            let now = || self.now.get();
            let (text, _) = Remembered::look(&mut self.memory, &places, &now, read, |_| lasts);
            (text, was_read.get())
        }
    }

    #[test]
    fn a_stamp_counts_once_it_is_older_than_any_file_system_s_clock_is_coarse() {
        let mut looks = Looks::new();
        let one = |was_read| ("one".to_owned(), was_read);
        assert_eq!(looks.after(0, true), one(true));
        assert_eq!(looks.after(50, true), one(true), "too young");
        assert_eq!(looks.after(2949, true), one(true), "still");
        assert_eq!(
            looks.after(1, true),
            one(true),
            "old enough, not read since"
        );
        assert_eq!(looks.after(50, true), one(false));
        assert_eq!(looks.after(60_000, true), one(false));
        looks.write("two");
        let two = |was_read| ("two".to_owned(), was_read);
        assert_eq!(looks.after(30_000, true), two(true));
        assert_eq!(looks.after(50, true), two(true), "young again");
        assert_eq!(looks.after(3000, true), two(true));
        assert_eq!(looks.after(30_000, true), two(false));
    }

    #[test]
    fn what_may_be_read_the_next_time_is_tried_each_time() {
        let mut looks = Looks::new();
        for _ in 0..4 {
            assert!(looks.after(10_000, false).1);
        }
    }
}
