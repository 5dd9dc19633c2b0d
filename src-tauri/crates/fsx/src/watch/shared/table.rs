//! Who is told of which events.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{ReadFlags, Reader};

/// Events that are read at most before those who wait are told.
const EVENTS_MAX: usize = 1 << 14;

/// Who is told of what.
#[derive(Default)]
pub(super) struct Table {
    next: u64,
    pub(super) hearers: HashMap<u64, Hearer>,
    /// By the system's number, which is the same for one directory under two names.
    pub(super) directories: HashMap<i32, Vec<Place>>,
}

pub(super) struct Hearer {
    pub(super) matters: Box<dyn Fn(&Path) -> bool + Send>,
    pub(super) on_hint: Box<dyn FnMut() + Send>,
}

/// A directory under the name that one source has for it.
#[derive(PartialEq)]
pub(super) struct Place {
    pub(super) source: u64,
    pub(super) name: PathBuf,
}

impl Table {
    pub(super) fn add(&mut self, hearer: Hearer) -> u64 {
        self.next += 1;
        self.hearers.insert(self.next, hearer);
        self.next
    }

    /// Takes a source out of one directory, or of all; returns those that nobody watches any more.
    pub(super) fn leave(&mut self, source: u64, name: Option<&Path>) -> Vec<i32> {
        for places in self.directories.values_mut() {
            places.retain(|place| {
                place.source != source || name.is_some_and(|name| place.name != name)
            });
        }
        let deserted = self
            .directories
            .extract_if(|_, places| places.is_empty())
            .map(|(watch, _)| watch);
        deserted.collect()
    }

    /// Hints at what has come; says whether there was anything for anybody.
    pub(super) fn hear(&mut self, inotify: &OwnedFd, buffer: &mut [MaybeUninit<u8>]) -> bool {
        let mut reader = Reader::new(inotify, buffer);
        let (mut events, mut due) = (0, BTreeSet::new());
        while (events < EVENTS_MAX || !reader.is_buffer_empty())
            && let Ok(event) = reader.next()
        {
            events += 1;
            let name = event
                .file_name()
                .map(|name| Path::new(OsStr::from_bytes(name.to_bytes())));
            self.sort(event.wd(), event.events(), name, &mut due);
        }
        for source in &due {
            if let Some(hearer) = self.hearers.get_mut(source) {
                (hearer.on_hint)();
            }
        }
        !due.is_empty()
    }

    /// Notes whom an event matters to.
    fn sort(&mut self, watch: i32, flags: ReadFlags, name: Option<&Path>, due: &mut BTreeSet<u64>) {
        // Anything may have changed.
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            due.extend(self.hearers.keys());
        }
        let places = self.directories.get(&watch).into_iter().flatten();
        for Place {
            source,
            name: directory,
        } in places
        {
            let path = match name {
                Some(name) => &directory.join(name),
                None => directory,
            };
            if self
                .hearers
                .get(source)
                .is_some_and(|it| (it.matters)(path))
            {
                due.insert(*source);
            }
        }
        if flags.contains(ReadFlags::IGNORED) {
            self.directories.remove(&watch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_events_were_lost_everybody_is_told() {
        let mut table = Table::default();
        let mut hearer = || {
            table.add(Hearer {
                matters: Box::new(|_| false),
                on_hint: Box::new(|| {}),
            })
        };
        let all = BTreeSet::from([hearer(), hearer()]);
        let mut due = BTreeSet::new();
        table.sort(-1, ReadFlags::QUEUE_OVERFLOW, None, &mut due);
        assert_eq!(due, all);
    }
}
