//! Directories that go, and come whole under another name: one rename carries all that is in them.
//!
//! Such a directory is moved aside like all that goes and looked at there, and moves on to its new place instead of to the
//! trash. What is not what was seen goes back, and the next cycle sees to it, entry by entry if need be.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::io;

use mizzen_sync_core::{Change, Dir, Node, RelPath};

use super::displace::taken;
use super::expected::{Expected, Found};
use super::publish::{Place, Publish};
use super::{Failure, Why, gone_or, place};
use crate::entry::Stamp;
use crate::root::{Directory, Root, Way, is_no_name};
use crate::scan::{Known, Links, Scan, Seen, stays_inside};

/// Which changes take a directory away that others make, by their numbers.
#[derive(Default)]
pub(super) struct Moves {
    /// Where each that comes is now.
    from: HashMap<usize, usize>,
    /// Where each that goes will be.
    to: HashMap<usize, usize>,
}

/// What two directories must have in common to be worth a comparison: nearly all that are not alike differ in it.
type Mark = u64;

impl Moves {
    /// Finds directories of which nothing but the name changes, and that hold now what was seen in them and nothing else.
    pub(super) fn find(root: &Root, changes: &[Change], before: &Scan, links: Links) -> Self {
        let mut goes: HashMap<Mark, Vec<usize>> = HashMap::new();
        for (number, change) in changes.iter().enumerate() {
            if let (Some(old), None) = (&change.old, &change.new)
                && let Some(mark) = mark(old)
            {
                goes.entry(mark).or_default().push(number);
            }
        }
        let mut moves = Self::default();
        if goes.is_empty() {
            return moves;
        }
        let mut way = Way::new(root.handle());
        for (number, change) in changes.iter().enumerate() {
            let (None, Some(new)) = (&change.old, &change.new) else {
                continue;
            };
            let Some(same) = mark(new).and_then(|mark| goes.get_mut(&mark)) else {
                continue;
            };
            if !may_stand(&change.path, new, links) {
                continue;
            }
            while let Some(from) = taken_out(same, |from| changes[*from].old.as_ref() == Some(new))
            {
                // One that has changed meanwhile is nobody's.
                if stands(&mut way, &changes[from], before) {
                    moves.join(from, number);
                    break;
                }
            }
        }
        moves
    }

    fn join(&mut self, from: usize, to: usize) {
        self.from.insert(to, from);
        self.to.insert(from, to);
    }

    /// Whether a change makes what another one takes away.
    pub(super) fn comes(&self, number: usize) -> bool {
        self.from.contains_key(&number)
    }

    /// Whether a change takes away what another one makes.
    pub(super) fn goes(&self, number: usize) -> bool {
        self.to.contains_key(&number)
    }
}

/// None for what is no directory with a file in it.
fn mark(node: &Node) -> Option<Mark> {
    let mut hasher = DefaultHasher::new();
    let has_file = hash_below(node.as_dir()?, &mut hasher);
    has_file.then(|| hasher.finish())
}

/// Says whether there is a file below.
fn hash_below(dir: &Dir, hasher: &mut impl Hasher) -> bool {
    let mut has_file = false;
    hasher.write_usize(dir.len());
    for (name, child) in dir.iter() {
        hasher.write(name.as_bytes());
        match child {
            Node::File(file) => {
                hasher.write(&file.digest.0);
                has_file = true;
            }
            Node::Dir(below) => has_file |= hash_below(below, hasher),
            Node::Link(_) | Node::Unsyncable(_) => {}
        }
    }
    has_file
}

fn taken_out<T>(all: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) -> Option<T> {
    let at = all.iter().position(is_it)?;
    Some(all.swap_remove(at))
}

/// Whether all of it would be made there as well.
fn may_stand(path: &RelPath, node: &Node, links: Links) -> bool {
    match node {
        Node::File(_) => true,
        Node::Dir(dir) => dir
            .iter()
            .all(|(name, child)| may_stand(&path.join(name), child, links)),
        Node::Link(target) => match links {
            Links::Portable => stays_inside(&path.parent().unwrap_or_default(), target),
            Links::Ignore => false,
            Links::Posix => true,
        },
        Node::Unsyncable(_) => false,
    }
}

fn stands(way: &mut Way, change: &Change, before: &Scan) -> bool {
    let Some(known) = before.get(&change.path) else {
        return false;
    };
    let Ok((dir, name)) = place(way, &change.path) else {
        return false;
    };
    let found = Expected::new(HashMap::new()).stands(&dir, name, known);
    matches!(found, Ok(Found::Seen))
}

impl Publish<'_> {
    /// Moves a directory aside that has another place to go to.
    pub(super) fn move_away(&mut self, place: Place, known: Known<'_>) -> Result<(), Why> {
        if self.expected.stands(&place.dir, &place.name, known)? != Found::Seen {
            return Err(Why::ChangedHere);
        }
        let moved = place.dir.rename(&place.name, &place.dir, &place.aside);
        moved.map_err(|error| self.not_moved(error))?;
        self.touched.extend(place.path.parent());
        let found = self.expected.came_out(&place.dir, &place.aside, known);
        self.aside.insert(place.change, place);
        match found? {
            Found::Seen => Ok(()),
            Found::More | Found::Otherwise => Err(Why::ChangedHere),
        }
    }

    /// Moves on to its place what was moved aside.
    pub(super) fn arrive(&mut self, place: &Place, new: &Node) -> Result<(), Why> {
        let number = self.moves.from[&place.change];
        // Known here: when it did not come out as it was seen, that has been told, and it goes back.
        let old = match self.aside.remove(&number) {
            Some(old) if !self.failed_to_leave.contains(&number) => old,
            other => {
                self.aside.extend(other.map(|old| (number, old)));
                return Err(Why::ChangedHere);
            }
        };
        let moved = old.dir.rename(&old.aside, &place.dir, &place.name);
        if let Err(error) = moved {
            let why = match error.kind() {
                io::ErrorKind::AlreadyExists => taken(place, self.before),
                _ => self.not_moved(error),
            };
            self.aside.insert(number, old);
            return Err(why);
        }
        self.touched.extend(place.path.parent());
        self.published.insert(place.change);
        if let Some(known) = self.before.get(&old.path) {
            self.note_moved(known);
        }
        self.done(&old.path, None);
        self.done(&place.path, Some(new.clone()));
        Ok(())
    }

    /// What is in it is as it was seen under its old name.
    fn note_moved(&mut self, known: Known<'_>) {
        match known {
            (Node::File(file), Seen::File { instance, settled }) => {
                self.applied.reused += 1;
                if *settled {
                    let stamp = Stamp::of(file, *instance);
                    self.applied.made.note(stamp, file.digest);
                }
            }
            (Node::Dir(_), Seen::Dir(seen)) => {
                for known in seen.entries() {
                    self.note_moved(known);
                }
            }
            _ => {}
        }
    }

    /// Brings back what was moved aside and could not move on.
    pub(super) fn bring_back_moved(&mut self) {
        for (number, place) in std::mem::take(&mut self.aside) {
            let slot = self.cycle.slot(number);
            if self.move_back(&place, &slot).is_err() {
                self.untidy = true;
            }
            if !self.failed_to_leave.contains(&number) {
                let (path, why) = (place.path, Why::ChangedHere);
                self.applied.failed.push(Failure { path, why });
            }
        }
    }

    fn not_moved(&mut self, error: io::Error) -> Why {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Why::ChangedHere,
            // A lower layer of the file system, another quota, or a name that the disk cannot hold: entry by entry, it
            // goes, or is told.
            _ if error.kind() == io::ErrorKind::CrossesDevices || is_no_name(&error) => {
                self.applied.moves_nothing_whole = true;
                Why::ChangedHere
            }
            _ => gone_or(error),
        }
    }
}
