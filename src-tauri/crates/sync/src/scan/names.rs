//! Dirty names of a directory whose disk may take one name for another: then a name that is found there need not be one
//! that an entry bears.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use mizzen_sync_core::Name;

use super::Dirty;
use super::seen::SeenDir;
use crate::root::{DirHandle, Directory};

/// What is dirty in a directory.
pub(super) struct Names<'a> {
    pub(super) dirty: Cow<'a, BTreeMap<Name, Dirty>>,
    /// All names there, where one may be taken for another.
    listed: Option<BTreeSet<Name>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(
        handle: &DirHandle,
        before: &SeenDir,
        dirty: &'a BTreeMap<Name, Dirty>,
    ) -> io::Result<Self> {
        let mut names = Self {
            dirty: Cow::Borrowed(dirty),
            listed: None,
        };
        // A name that was borne already stands for nothing else, unless one came that does.
        let mut new = dirty.keys().filter(|name| before.get(name).is_none());
        // The first that tells it tells it of all.
        if new.find_map(|name| is_found_otherwise(handle, name)) == Some(true) {
            let listed = handle.list()?.into_iter().map(|entry| entry.name);
            names.take(listed.collect());
        }
        Ok(names)
    }

    /// Whether an entry bears a name that was found.
    pub(super) fn is_borne(&self, name: &Name) -> bool {
        let listed = self.listed.as_ref();
        listed.is_none_or(|listed| listed.contains(name))
    }

    /// What was told of a name may be about the entry that it stands for.
    fn take(&mut self, listed: BTreeSet<Name>) {
        let told: BTreeSet<Vec<u8>> = self.dirty.keys().map(in_lower_case).collect();
        let meant = listed
            .iter()
            .filter(|name| told.contains(&in_lower_case(name)));
        let meant = meant.filter(|name| !self.dirty.contains_key(name));
        let meant: Vec<Name> = meant.cloned().collect();
        let meant = meant.into_iter().map(|name| (name, Dirty::All));
        self.dirty.to_mut().extend(meant);
        self.listed = Some(listed);
    }
}

/// Whether a name that is found is found as well when it is written in the other case; none when it does not tell.
fn is_found_otherwise(handle: &DirHandle, name: &Name) -> Option<bool> {
    let swapped: Vec<u8> = name.as_bytes().iter().map(swapped).collect();
    let is_found = |name: &[u8]| matches!(handle.look(name), Ok(Some(_)));
    let tells = swapped != name.as_bytes() && is_found(name.as_bytes());
    tells.then(|| is_found(&swapped))
}

fn swapped(letter: &u8) -> u8 {
    match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    }
}

fn in_lower_case(name: &Name) -> Vec<u8> {
    name.as_bytes().to_ascii_lowercase()
}
