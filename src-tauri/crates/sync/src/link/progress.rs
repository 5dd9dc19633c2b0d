//! Counts what a cycle carries while it does.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mizzen_sync_core::{File, Node, Outcome, RelPath};

use crate::apply::{Contents, PartHere, Supply, SupplyError, Wish};
use crate::told::{Amount, Progress};

/// Hears how far a cycle has come, from whichever thread carries.
pub(super) type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// No more often than that is it told, and not at all of what is over sooner.
const EVERY: Duration = Duration::from_millis(250);

/// What one cycle carries.
pub(super) struct Carrying {
    tell: Option<Tell>,
    all: Amount,
    files: AtomicU64,
    bytes: AtomicU64,
    began: Instant,
    /// When it was told last, in milliseconds after the beginning.
    told: AtomicU64,
}

impl Carrying {
    /// All new contents of an outcome's plans will be carried.
    pub(super) fn new(tell: Option<Tell>, outcome: &Outcome) -> Self {
        let mut all = Amount::default();
        if tell.is_some() {
            let plans = outcome.plans().into_iter();
            let changes = plans.flat_map(|(_, plan)| &plan.changes);
            changes.for_each(|change| change.new.iter().for_each(|new| add(new, &mut all)));
        }
        Self {
            tell,
            all,
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            began: Instant::now(),
            told: AtomicU64::new(0),
        }
    }

    /// The same contents, counted as they are handed over.
    pub(super) fn counting<'a>(&'a self, contents: &'a dyn Contents) -> Counting<'a> {
        let carrying = self;
        Counting { carrying, contents }
    }

    fn add(&self, files: u64, bytes: u64) {
        let Some(tell) = &self.tell else { return };
        let files = self.files.fetch_add(files, Ordering::Relaxed) + files;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let took = self.began.elapsed();
        let now = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let told = self.told.load(Ordering::Relaxed);
        let is_time = Duration::from_millis(now.saturating_sub(told)) >= EVERY;
        let order = Ordering::Relaxed;
        if is_time && self.told.compare_exchange(told, now, order, order).is_ok() {
            // A file that was handed over twice was counted twice.
            tell(Progress::new(Amount { files, bytes }, self.all, took).plausible());
        }
    }
}

/// Empty files have no contents.
fn add(new: &Node, all: &mut Amount) {
    match new {
        Node::File(file) if file.size > 0 => {
            all.files += 1;
            all.bytes = all.bytes.saturating_add(file.size);
        }
        Node::Dir(dir) => dir.iter().for_each(|(_, child)| add(child, all)),
        Node::File(_) | Node::Link(_) | Node::Unsyncable(_) => {}
    }
}

/// Contents that are counted.
pub(super) struct Counting<'a> {
    carrying: &'a Carrying,
    contents: &'a dyn Contents,
}

impl Contents for Counting<'_> {
    fn suppliers(&self) -> usize {
        self.contents.suppliers()
    }

    fn is_far(&self) -> bool {
        self.contents.is_far()
    }

    fn expect(&self, files: Vec<Wish>) {
        self.contents.expect(files);
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        Box::new(Counted {
            carrying: self.carrying,
            from: self.contents.supplier(),
        })
    }
}

struct Counted<'a> {
    carrying: &'a Carrying,
    from: Box<dyn Supply + 'a>,
}

/// Passes on what one file holds.
struct Passing<'a> {
    carrying: &'a Carrying,
    passed: u64,
    to: &'a mut dyn Write,
}

impl Write for Passing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.passed += written as u64;
        self.carrying.add(0, written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Counted<'_> {
    fn counted<T>(
        &mut self,
        file: &File,
        to: &mut dyn Write,
        supply: impl FnOnce(&mut dyn Supply, &mut dyn Write) -> Result<T, SupplyError>,
    ) -> Result<T, SupplyError> {
        let (carrying, passed) = (self.carrying, 0);
        let mut to = Passing {
            carrying,
            passed,
            to,
        };
        let supplied = supply(&mut *self.from, &mut to)?;
        // What was there already is done as well.
        carrying.add(1, file.size.saturating_sub(to.passed));
        Ok(supplied)
    }
}

impl Supply for Counted<'_> {
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError> {
        self.counted(file, to, |from, to| from.supply(path, file, to))
    }

    fn supply_rest(
        &mut self,
        path: &RelPath,
        file: &File,
        here: &PartHere<'_>,
        to: &mut dyn Write,
    ) -> Result<u64, SupplyError> {
        self.counted(file, to, |from, to| from.supply_rest(path, file, here, to))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use mizzen_sync_core::{Change, Plan};

    use super::*;
    use crate::sample::of_one;

    struct Text(&'static [u8]);

    impl Contents for Text {
        fn suppliers(&self) -> usize {
            1
        }

        fn supplier(&self) -> Box<dyn Supply + '_> {
            Box::new(Text(self.0))
        }
    }

    impl Supply for Text {
        fn supply(
            &mut self,
            _path: &RelPath,
            _file: &File,
            to: &mut dyn Write,
        ) -> Result<(), SupplyError> {
            to.write_all(self.0).map_err(SupplyError::File)
        }
    }

    fn file(size: u64) -> File {
        File {
            digest: mizzen_sync_core::Digest([0; 32]),
            size,
            mtime: 0,
            executable: false,
        }
    }

    fn outcome(sizes: &[u64]) -> Outcome {
        let changes = sizes.iter().map(|size| Change {
            path: RelPath::root(),
            old: Some(of_one(1)),
            new: Some(Node::File(file(*size))),
        });
        let changes = changes.collect();
        Outcome {
            container: Plan { changes },
            ..Outcome::default()
        }
    }

    /// What is told while these contents are handed over as files of these sizes, after so long.
    fn told(sizes: &[u64], contents: &'static [u8], after: Duration) -> Vec<String> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        let tell: Tell = Arc::new(move |progress: Progress| {
            let Progress { done, all, .. } = progress;
            let line = format!("{}/{} {}/{}", done.files, all.files, done.bytes, all.bytes);
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        });
        let mut carrying = Carrying::new(Some(tell), &outcome(sizes));
        for size in sizes.iter().filter(|size| **size > 0) {
            // Nothing else passes time here.
            carrying.began = carrying
                .began
                .checked_sub(after)
                .expect("a machine that runs for long");
            let text = Text(contents);
            let counting = carrying.counting(&text);
            let supplied =
                counting
                    .supplier()
                    .supply(&RelPath::root(), &file(*size), &mut io::sink());
            assert!(supplied.is_ok());
        }
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }

    #[test]
    fn what_takes_its_time_is_told_now_and_then_and_nothing_else() {
        for (sizes, contents, after, expected) in [
            (
                &[5, 0, 5][..],
                &b"12345"[..],
                260,
                &["0/2 5/10", "1/2 10/10"][..],
            ),
            (&[5, 5, 5], b"12345", 0, &[]),
            (&[9, 9], b"12345", 260, &["0/2 5/18", "1/2 14/18"]),
            (&[3], b"12345", 260, &["0/1 3/3"]),
        ] {
            assert_eq!(
                told(sizes, contents, Duration::from_millis(after)),
                expected
            );
        }
    }
}
