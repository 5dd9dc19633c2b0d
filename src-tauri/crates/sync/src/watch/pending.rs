//! What was told and not taken yet.

use mizzen_sync_core::{RelPath, Rules};

use crate::scan::Dirty;
use crate::settings::SETTINGS_FILE;

/// A scan of everything is then cheaper than to remember more.
const PLACES_MAX: usize = 100_000;

/// What has become dirty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The places.
    pub dirty: Dirty,
    /// Why it is everything; none when it is not.
    pub rescan: Option<Rescan>,
    /// Whether a file that rules come from is among them.
    pub rules: bool,
}

/// Why everything has to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rescan {
    /// Nothing was looked at yet.
    Start,
    /// The system has dropped changes that came too fast.
    Overflow,
    /// Changes in too many places to name them all.
    Many,
    /// Not every change is told, and it is time.
    Poll,
    /// The root was removed, moved or unmounted; what is looked at may be another folder than the path means.
    Root,
}

/// Whether rules come from a file: it is told even where it is not carried itself.
pub(super) fn is_rules(path: &RelPath) -> bool {
    Rules::is_source(path) || path.as_bytes() == SETTINGS_FILE.as_bytes()
}

#[derive(Debug)]
pub(super) struct Pending {
    news: News,
    places: usize,
}

impl Default for Pending {
    fn default() -> Self {
        let mut pending = Self {
            news: News::default(),
            places: 0,
        };
        pending.everything(Rescan::Start);
        pending
    }
}

impl Pending {
    /// Something happened at a place, and with all below it.
    pub(super) fn note(&mut self, path: &RelPath) {
        self.news.rules |= is_rules(path);
        if self.news.dirty.add(path) {
            self.places += 1;
            if self.places > PLACES_MAX {
                self.everything(Rescan::Many);
            }
        }
    }

    pub(super) fn everything(&mut self, why: Rescan) {
        self.news.dirty = Dirty::All;
        // That the root is another is more than that it has to be looked at.
        if self.news.rescan.is_none() || why == Rescan::Root {
            self.news.rescan = Some(why);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.news.dirty.is_empty()
    }

    pub(super) fn take(&mut self) -> News {
        self.places = 0;
        std::mem::take(&mut self.news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn it_begins_with_everything_and_each_place_is_told_once() {
        let mut pending = Pending::default();
        assert_eq!(pending.take().rescan, Some(Rescan::Start));
        assert!(pending.is_empty());
        pending.note(&path("a/b"));
        pending.note(&path("a/.gitignore"));
        let news = pending.take();
        assert!(news.rules);
        assert_eq!(
            news.dirty,
            [path("a/b"), path("a/.gitignore")].iter().collect()
        );
        assert_eq!(pending.take(), News::default());
    }

    #[test]
    fn what_happens_to_too_many_places_happens_to_everything() {
        let mut pending = Pending::default();
        let _start = pending.take();
        for _ in 0..2 * PLACES_MAX {
            pending.note(&path("hot"));
        }
        for number in 1..PLACES_MAX {
            pending.note(&path(&format!("d/{number}")));
        }
        assert_eq!(pending.news.rescan, None);
        pending.note(&path("d/more"));
        let news = pending.take();
        assert_eq!((news.dirty, news.rescan), (Dirty::All, Some(Rescan::Many)));
    }
}
