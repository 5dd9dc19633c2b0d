//! Which watch is that of which directory.

use std::collections::{BTreeMap, HashMap};

use mizzen_sync_core::RelPath;

/// Both ways. The system names a directory that is watched twice by the same number, wherever it was moved, and no other
/// by this number again.
#[derive(Debug, Default)]
pub(super) struct Places {
    by_watch: HashMap<i32, Place>,
    /// By the path with a slash after each name: what lies below a directory then stands beside it.
    by_path: BTreeMap<Box<[u8]>, i32>,
    scans: u64,
}

#[derive(Debug)]
struct Place {
    path: RelPath,
    /// The scan that came to it last.
    scan: u64,
}

fn key(path: &RelPath) -> Box<[u8]> {
    match path.is_root() {
        true => Box::default(),
        false => [path.as_bytes(), b"/"].concat().into(),
    }
}

impl Places {
    pub(super) fn len(&self) -> usize {
        self.by_watch.len()
    }

    pub(super) fn has(&self, path: &RelPath) -> bool {
        self.by_path.contains_key(&key(path))
    }

    pub(super) fn path(&self, watch: i32) -> Option<RelPath> {
        Some(self.by_watch.get(&watch)?.path.clone())
    }

    /// A scan of everything begins.
    pub(super) fn begin(&mut self) {
        self.scans += 1;
    }

    /// A scan has come to a directory. Answers the watch of another one that was there before.
    pub(super) fn put(&mut self, watch: i32, path: &RelPath) -> Option<i32> {
        if self.path(watch).is_some_and(|last| last != *path) {
            self.remove(watch);
        }
        let place = Place {
            path: path.clone(),
            scan: self.scans,
        };
        self.by_watch.insert(watch, place);
        let other = self.by_path.insert(key(path), watch);
        let other = other.filter(|other| *other != watch)?;
        self.by_watch.remove(&other);
        Some(other)
    }

    pub(super) fn remove(&mut self, watch: i32) {
        if let Some(place) = self.by_watch.remove(&watch) {
            self.by_path.remove(&key(&place.path));
        }
    }

    /// Removes a directory and all below it, and answers their watches.
    pub(super) fn remove_below(&mut self, path: &RelPath) -> Vec<i32> {
        let first = key(path);
        let below = self.by_path.range(first.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&first));
        let watches: Vec<i32> = below.map(|(_, watch)| *watch).collect();
        watches.iter().for_each(|watch| self.remove(*watch));
        watches
    }

    /// Removes what no scan has come to since the last [`Places::begin`], and answers their watches.
    pub(super) fn remove_older(&mut self) -> Vec<i32> {
        let all = self.by_watch.iter();
        let old = all.filter(|(_, place)| place.scan < self.scans);
        let watches: Vec<i32> = old.map(|(watch, _)| *watch).collect();
        watches.iter().for_each(|watch| self.remove(*watch));
        watches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text.as_bytes()).unwrap()
    }

    fn places(paths: &[&str]) -> Places {
        let mut places = Places::default();
        for (watch, text) in (1..).zip(paths) {
            assert_eq!(places.put(watch, &path(text)), None);
        }
        places
    }

    /// What is there, as `path=watch`; both ways must agree.
    fn told(places: &Places) -> Vec<String> {
        assert_eq!(places.by_path.len(), places.by_watch.len());
        let told = places.by_path.iter().map(|(key, watch)| {
            let path = places.path(*watch).unwrap();
            assert_eq!(*key, self::key(&path));
            format!("{path}={watch}")
        });
        told.collect()
    }

    #[test]
    fn what_is_below_a_directory_goes_with_it_and_no_more() {
        for (gone, watches, left) in [
            ("a", &[2, 3, 4][..], &[".=1", "a-b=5", "ab=6"][..]),
            ("a/b", &[3, 4], &[".=1", "a-b=5", "a=2", "ab=6"]),
            (
                "x",
                &[],
                &[".=1", "a-b=5", "a=2", "a/b=3", "a/b/c=4", "ab=6"],
            ),
            ("", &[1, 5, 2, 3, 4, 6], &[]),
        ] {
            let mut places = places(&["", "a", "a/b", "a/b/c", "a-b", "ab"]);
            assert_eq!(places.remove_below(&path(gone)), watches, "{gone}");
            assert_eq!(told(&places), left, "{gone}");
        }
    }

    #[test]
    fn a_directory_that_was_moved_is_known_by_its_new_path() {
        let mut places = places(&["", "a", "b"]);
        assert_eq!(places.put(2, &path("c")), None);
        assert_eq!(told(&places), [".=1", "b=3", "c=2"]);
        assert_eq!(places.put(2, &path("b")), Some(3));
        assert_eq!(told(&places), [".=1", "b=2"]);
        assert_eq!(places.put(2, &path("b")), None);
        assert_eq!(places.put(4, &path("b")), Some(2));
        assert_eq!(told(&places), [".=1", "b=4"]);
    }

    #[test]
    fn what_a_scan_did_not_come_to_is_old() {
        let mut places = places(&["", "a", "b"]);
        places.begin();
        places.put(1, &path(""));
        places.put(3, &path("b"));
        assert_eq!(places.remove_older(), [2]);
        assert_eq!(told(&places), [".=1", "b=3"]);
        assert!(places.remove_older().is_empty());
    }
}
