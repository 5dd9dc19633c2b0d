//! Files that go, and whose contents come back under another name: a rename copies nothing.
//!
//! Making ready gives such a file its new name as well. It loses the old one like all that goes, by way of the trash,
//! and is taken out of the trash once the new name is in place: at no moment has it none.

use std::collections::{HashMap, HashSet};

use mizzen_sync_core::{Change, RelPath};

use super::publish::Publish;
use super::{Failure, Why, place};
use crate::entry::Kind;
use crate::root::{Directory, Way};
use crate::temp::Part;
use crate::trash::slot_path;

use super::order::Here;

/// Finds the change to which a place belongs.
struct ChangeOf<'a>(HashMap<&'a RelPath, usize>);

impl<'a> ChangeOf<'a> {
    fn new(changes: &'a [Change]) -> Self {
        let paths = changes.iter().map(|change| &change.path);
        Self(paths.zip(0..).collect())
    }

    fn get(&self, path: &RelPath) -> Option<usize> {
        at_and_above(path).find_map(|path| self.0.get(&path).copied())
    }
}

fn at_and_above(path: &RelPath) -> impl Iterator<Item = RelPath> {
    std::iter::successors(Some(path.clone()), RelPath::parent)
}

impl Publish<'_> {
    fn second_names(&self) -> Vec<(RelPath, RelPath)> {
        let here = self.here.iter();
        let moved = here.filter_map(|(new, here)| match here {
            Here::Moved(old, _) => Some((old.clone(), new.clone())),
            Here::Copied(_) => None,
        });
        moved.collect()
    }

    /// Where a file did not lose its old name, it does not get the new one.
    pub(super) fn take_back_second_names(&mut self) {
        let names = self.second_names();
        if names.is_empty() {
            return;
        }
        let gone: HashSet<RelPath> = self
            .applied
            .done
            .iter()
            .map(|edit| edit.path.clone())
            .collect();
        let change_of = ChangeOf::new(self.changes);
        for (old, new) in names {
            if at_and_above(&old).any(|path| gone.contains(&path)) {
                continue;
            }
            let number = change_of.get(&new).expect("BUG: a change makes it");
            if let Err(error) = self.take_back(number, &new) {
                self.spoilt.insert(number, error);
            }
            let why = Why::ChangedHere;
            self.unready[number].push(Failure { path: new, why });
        }
    }

    /// Takes a file out of what was made ready.
    fn take_back(&mut self, number: usize, new: &RelPath) -> std::io::Result<()> {
        let change = &self.changes[number].path;
        let temp = self.cycle.temp(number, Part::New);
        let mut at = change.parent().unwrap_or_default().as_bytes().to_vec();
        for part in
            std::iter::once(&*temp).chain(new.below(change).iter().flat_map(RelPath::components))
        {
            if !at.is_empty() {
                at.push(b'/');
            }
            at.extend_from_slice(part);
        }
        let at = RelPath::new(&at).expect("BUG: made of names");
        match place(&mut self.way, &at) {
            Ok((dir, name)) => match dir.remove_file(name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            // It was not made.
            Err(_) => Ok(()),
        }
    }

    /// What is in place under its new name is no trash.
    pub(super) fn drop_second_names(&mut self) {
        let names = self.second_names();
        if names.is_empty() {
            return;
        }
        let change_of = ChangeOf::new(self.changes);
        let mut way = Way::new(self.cycle.handle());
        for (old, new) in names {
            let (Some(from), Some(to)) = (change_of.get(&old), change_of.get(&new)) else {
                continue;
            };
            if !self.published.contains(&to) {
                continue;
            }
            let below = old.below(&self.changes[from].path).unwrap_or_default();
            let slot = slot_path(from, &below);
            let Ok((dir, name)) = place(&mut way, &slot) else {
                continue;
            };
            if let Ok(Some(Kind::File { stamp, .. })) = dir.look(name)
                && self.expected.has_second_name(stamp.inode)
            {
                let _ = dir.remove_file(name);
            }
        }
    }
}
