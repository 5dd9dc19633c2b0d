//! Dirty names of a directory whose disk may take one name for another: then a name that is found there need not be one
//! that an entry bears.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use mizzen_sync_core::Name;

use super::Dirty;
use super::look::Here;
use super::seen::SeenDir;
use crate::root::{DirHandle, Directory};
use crate::spelling::{Spellings, in_lower_case};

/// What is dirty in a directory.
pub(super) struct Names<'a> {
    pub(super) dirty: Cow<'a, BTreeMap<Name, Dirty>>,
    /// All names there, where one may be taken for another.
    borne: Option<BTreeSet<Name>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(
        here: Here<'_>,
        before: &SeenDir,
        dirty: &'a BTreeMap<Name, Dirty>,
    ) -> io::Result<Self> {
        let mut names = Self {
            dirty: Cow::Borrowed(dirty),
            borne: None,
        };
        // A name that was borne already stands for nothing else, unless one came that does.
        let new = || dirty.keys().filter(|name| before.get(name).is_none());
        // The first that tells it tells it of all.
        let mut told = new().filter_map(|name| is_found_otherwise(here.handle, name));
        if new().any(may_be_spelt_otherwise) || told.next() == Some(true) {
            let listed = here.handle.list()?.into_iter().map(|entry| entry.name);
            names.take(here, before, listed.collect());
        }
        Ok(names)
    }

    /// Whether an entry bears a name that was found.
    pub(super) fn is_borne(&self, name: &Name) -> bool {
        let borne = self.borne.as_ref();
        borne.is_none_or(|borne| borne.contains(name))
    }

    /// What was told of a name may be about the entry that it stands for.
    fn take(&mut self, here: Here<'_>, before: &SeenDir, listed: BTreeSet<Name>) {
        let spellings = here.spellings(listed.iter());
        let meant = Spellings::find(here.handle, listed.iter(), self.dirty.keys());
        let told: BTreeSet<String> = self.dirty.keys().map(in_lower_case).collect();
        let mut dirty = BTreeMap::clone(&self.dirty);
        let mut borne = BTreeSet::new();
        for name in listed {
            let known = spellings.known(&name).unwrap_or(&name).clone();
            if let Some(below) = dirty.remove(&name) {
                dirty.entry(known.clone()).or_default().merge(below);
            } else if meant.known(&name).is_some() || told.contains(&in_lower_case(&name)) {
                dirty.entry(known.clone()).or_insert(Dirty::All);
            }
            borne.insert(known);
        }
        // A name that went may have been told in another spelling.
        let gone = before.dir.iter().map(|(name, _)| name);
        for name in gone.filter(|name| !borne.contains(name)) {
            dirty.insert(name.clone(), Dirty::All);
        }
        self.dirty = Cow::Owned(dirty);
        self.borne = Some(borne);
    }
}

/// What has nothing but plain letters has one spelling, but for their case.
fn may_be_spelt_otherwise(name: &Name) -> bool {
    !name.as_bytes().is_ascii()
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
