//! Names that a disk lists in another spelling than the one that they are known by: some take "é" for a letter and its
//! accent, and keep it so.
//!
//! Nobody keeps a table of spellings, or a list of such disks. Where a name is found that is not listed, and something is
//! listed that nobody knows, and both are one entry, the disk has said it.

use std::collections::HashMap;

use mizzen_sync_core::Name;

use crate::root::{DirHandle, Directory};

/// Of names that are listed, those that are known in another spelling.
#[derive(Default)]
pub(crate) struct Spellings(HashMap<Name, Name>);

impl Spellings {
    /// Asks a directory for what is known and not listed. Both are in order.
    ///
    /// Names that differ in case alone are no two spellings of one: a disk that takes them for one keeps the case, and so a
    /// person has renamed that entry.
    pub(crate) fn find<'n>(
        dir: &DirHandle,
        listed: impl Iterator<Item = &'n Name> + Clone,
        known: impl Iterator<Item = &'n Name> + Clone,
    ) -> Self {
        let mut strangers: Option<HashMap<u64, &Name>> = None;
        let mut found = HashMap::new();
        for name in without(known.clone(), listed.clone()) {
            let Some(number) = number_of(dir, name) else {
                continue;
            };
            let strangers = strangers.get_or_insert_with(|| {
                let strangers = without(listed.clone(), known.clone());
                let numbered = strangers.filter_map(|name| Some((number_of(dir, name)?, name)));
                numbered.collect()
            });
            if let Some(stranger) = strangers.get(&number)
                && in_lower_case(stranger) != in_lower_case(name)
            {
                found.insert((*stranger).clone(), name.clone());
            }
        }
        Self(found)
    }

    /// How a name is known that is listed.
    pub(crate) fn known(&self, listed: &Name) -> Option<&Name> {
        self.0.get(listed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Those names that are not among others. Both are in order.
fn without<'n>(
    names: impl Iterator<Item = &'n Name>,
    others: impl Iterator<Item = &'n Name>,
) -> impl Iterator<Item = &'n Name> {
    let mut others = others.peekable();
    names.filter(move |name| {
        while others.next_if(|other| other < name).is_some() {}
        others.peek() != Some(name)
    })
}

/// What tells an entry from all others, however it is spelt.
fn number_of(dir: &DirHandle, name: &Name) -> Option<u64> {
    // Of what cannot be asked for nothing is known.
    dir.number(name.as_bytes()).ok().flatten()
}

/// What names have in common that differ in case alone.
pub(crate) fn in_lower_case(name: &Name) -> String {
    String::from_utf8_lossy(name.as_bytes()).to_lowercase()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &str) -> Vec<Name> {
        let words = words.split_whitespace();
        words
            .map(|word| Name::new(word.as_bytes()).unwrap())
            .collect()
    }

    #[test]
    fn what_is_among_others_is_left_out() {
        for (all, others, expected) in [
            ("", "a", ""),
            ("a b", "", "a b"),
            ("a b d", "b c d e", "a"),
            ("b d", "a c", "b d"),
            ("a b", "a b", ""),
        ] {
            let (all, others) = (names(all), names(others));
            let left: Vec<Name> = without(all.iter(), others.iter()).cloned().collect();
            assert_eq!(left, names(expected));
        }
    }

    /// Two names of one file stand for two spellings: what this disk does not do itself.
    #[test]
    fn a_stranger_is_known_when_it_is_what_is_found_under_a_name_that_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        mizzen_fsx::write_atomic(folder.path().join("x"), b"1").unwrap();
        mizzen_fsx::write_atomic(folder.path().join("other"), b"2").unwrap();
        for name in ["y", "X"] {
            std::fs::hard_link(folder.path().join("x"), folder.path().join(name)).unwrap();
        }
        let dir = DirHandle::open(folder.path()).unwrap();
        for (listed, known, expected) in [
            ("other y", "other x", Some("x")),
            ("other y", "gone other", None),
            // Another entry is found there.
            ("y", "other", None),
            // It is known itself.
            ("y", "x y", None),
            // It was renamed.
            ("X", "x", None),
        ] {
            let (listed, known) = (names(listed), names(known));
            let spellings = Spellings::find(&dir, listed.iter(), known.iter());
            let stranger = listed.last().unwrap();
            let found = spellings.known(stranger).map(ToString::to_string);
            assert_eq!(found.as_deref(), expected, "{listed:?} {known:?}");
        }
    }
}
