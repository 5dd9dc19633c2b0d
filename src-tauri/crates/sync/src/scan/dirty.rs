//! Places of a side that have to be looked at again.

use std::collections::BTreeMap;

use mizzen_sync_core::{Name, RelPath};

/// A directory with all below it, or places below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dirty {
    /// The place itself and all below it.
    All,
    /// Nothing but these entries, each with what is dirty of it.
    Below(BTreeMap<Name, Dirty>),
}

impl Default for Dirty {
    fn default() -> Self {
        Self::Below(BTreeMap::new())
    }
}

impl Dirty {
    /// Whether nothing has to be looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Below(names) if names.is_empty())
    }

    /// Whether an entry of the root is dirty, or something below it.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Below(names) => names.keys().any(|dirty| dirty.as_bytes() == name),
        }
    }

    /// The places, each with all below it.
    #[must_use]
    pub fn places(&self) -> Vec<RelPath> {
        let mut places = Vec::new();
        self.tell(&RelPath::root(), &mut places);
        places
    }

    fn tell(&self, at: &RelPath, places: &mut Vec<RelPath>) {
        match self {
            Self::All => places.push(at.clone()),
            Self::Below(names) => {
                for (name, dirty) in names {
                    dirty.tell(&at.join(name), places);
                }
            }
        }
    }

    /// Adds a place and all below it; whether it was not dirty already.
    pub fn add(&mut self, path: &RelPath) -> bool {
        let mut place = self;
        for name in path.names() {
            match place {
                Self::All => return false,
                Self::Below(names) => place = names.entry(name).or_default(),
            }
        }
        std::mem::replace(place, Self::All) != Self::All
    }

    /// Adds all that is dirty in another.
    pub fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::All, _) => {}
            (place, Self::All) => *place = Self::All,
            (Self::Below(names), Self::Below(others)) => {
                for (name, other) in others {
                    names.entry(name).or_default().merge(other);
                }
            }
        }
    }
}

impl<'a> FromIterator<&'a RelPath> for Dirty {
    fn from_iter<I: IntoIterator<Item = &'a RelPath>>(paths: I) -> Self {
        let mut dirty = Self::default();
        for path in paths {
            dirty.add(path);
        }
        dirty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_takes_all_below_it_with_it() {
        let path = |text: &str| RelPath::new(text.as_bytes()).unwrap();
        let dirty = |paths: &[&str]| {
            paths
                .iter()
                .map(|text| path(text))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Dirty>()
        };
        assert!(dirty(&[]).is_empty());
        assert_eq!(dirty(&["a/b", "a"]), dirty(&["a"]));
        assert_eq!(dirty(&["a", "a/b"]), dirty(&["a"]));
        assert_ne!(dirty(&["a/b"]), dirty(&["a"]));
        assert_eq!(dirty(&["a", ""]), Dirty::All);
        let mut some = dirty(&["a/b"]);
        let added = ["a/b", "a/b/c", "a/c", "a", "a", "b"].map(|text| some.add(&path(text)));
        assert_eq!(added, [false, false, true, true, false, true]);
    }

    #[test]
    fn places_are_told_as_they_were_added() {
        let path = |text: &str| RelPath::new(text.as_bytes()).unwrap();
        for paths in [&[][..], &[""], &["a/b", "a/c/d", "e"]] {
            let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
            assert_eq!(paths.iter().collect::<Dirty>().places(), paths);
        }
    }

    #[test]
    fn two_are_one_with_the_places_of_both() {
        let path = |text: &str| RelPath::new(text.as_bytes()).unwrap();
        let dirty = |paths: &[&str]| {
            let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
            paths.iter().collect::<Dirty>()
        };
        for (one, two, both) in [
            (&[][..], &["a"][..], &["a"][..]),
            (&["a"], &["a/b"], &["a"]),
            (&["a/b", "c"], &["a/d"], &["a/b", "a/d", "c"]),
            (&["a/b"], &[""], &[""]),
        ] {
            for (one, two) in [(one, two), (two, one)] {
                let mut merged = dirty(one);
                merged.merge(dirty(two));
                assert_eq!(merged, dirty(both));
            }
        }
    }
}
