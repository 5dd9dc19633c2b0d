//! Puts in place what was made ready, and takes away what goes.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use mizzen_sync_core::{Change, Edit, Node, RelPath};

use super::expected::Expected;
use super::order::Here;
use super::stage::Staged;
use super::{Applied, Disk, Failure, Why, gone_or, place};
use crate::entry::{Kind, Stamp};
use crate::root::{DirHandle, Directory, Root, Way};
use crate::scan::{Known, Scan, Seen, SeenDir};
use crate::trash::{Cycle, Slot};

pub(super) struct Publish<'a> {
    pub(super) way: Way,
    pub(super) changes: &'a [Change],
    before: &'a Scan,
    pub(super) here: &'a HashMap<RelPath, Here>,
    pub(super) cycle: &'a Cycle,
    pub(super) expected: Expected,
    /// Of each change, what of it was not made ready.
    pub(super) unready: Vec<Vec<Failure>>,
    pub(super) spoilt: HashMap<usize, io::Error>,
    /// Changes that have put something in place.
    pub(super) published: HashSet<usize>,
    /// Directories in which names came or went.
    touched: HashMap<RelPath, Arc<DirHandle>>,
    pub(super) applied: Applied,
}

/// An entry, by the directory that holds it.
struct Place {
    change: usize,
    path: RelPath,
    dir: Arc<DirHandle>,
    name: Vec<u8>,
    /// Where in the same directory it is kept for a moment.
    temp: Vec<u8>,
}

/// Where it ended before the end.
type Ended = (RelPath, io::Error);

impl<'a> Publish<'a> {
    pub(super) fn new(
        root: &Root,
        changes: &'a [Change],
        before: &'a Scan,
        here: &'a HashMap<RelPath, Here>,
        cycle: &'a Cycle,
        staged: Staged,
    ) -> Self {
        let mut unready: Vec<Vec<Failure>> = changes.iter().map(|_| Vec::new()).collect();
        for (change, failure) in staged.failed {
            unready[change].push(failure);
        }
        Self {
            way: Way::new(root.handle()),
            changes,
            before,
            here,
            cycle,
            expected: Expected::new(staged.named_twice),
            unready,
            spoilt: staged.spoilt.into_iter().collect(),
            published: HashSet::new(),
            touched: HashMap::new(),
            applied: Applied {
                files: staged.files,
                bytes: staged.bytes,
                reused: staged.reused,
                ..Applied::default()
            },
        }
    }

    pub(super) fn run(&mut self, disk: &Disk<'_>) -> Result<(), Ended> {
        let shortage = self.take_shortage();
        let began = shortage
            .map_or(Ok(()), Err)
            .and_then(|()| disk.sync_new().map_err(|error| (RelPath::root(), error)));
        // What goes makes room first: names that a disk takes for one, and files that get another name.
        let all = 0..self.changes.len();
        let (goes, comes): (Vec<_>, Vec<_>) =
            all.partition(|number| self.changes[*number].new.is_none());
        let carried_out = began.and_then(|()| {
            goes.iter().try_for_each(|number| self.carry_out(*number))?;
            self.take_back_second_names();
            comes.iter().try_for_each(|number| self.carry_out(*number))
        });
        if carried_out.is_err() {
            comes.iter().for_each(|number| self.discard(*number));
        }
        let dirs = self.touched.values().map(|dir| &**dir);
        let synced = disk
            .sync_names(dirs)
            .map_err(|error| (RelPath::root(), error));
        carried_out.and(synced)?;
        self.drop_second_names();
        Ok(())
    }

    /// What ended the making ready, if anything did.
    fn take_shortage(&mut self) -> Option<Ended> {
        let all = self.unready.iter_mut();
        let (failures, at) = all
            .map(|failures| {
                let at = failures
                    .iter()
                    .position(|failure| failure.why.is_shortage());
                (failures, at)
            })
            .find_map(|(failures, at)| Some((failures, at?)))?;
        let Failure { path, why } = failures.swap_remove(at);
        match why {
            Why::System(error) | Why::Supply(error) => Some((path, error)),
            _ => None,
        }
    }

    fn carry_out(&mut self, number: usize) -> Result<(), Ended> {
        let change = &self.changes[number];
        let changed = match self.place(number) {
            Ok(place) => self.carry_out_at(&place, change),
            Err(why) => Err(why),
        };
        match changed {
            Ok(()) => Ok(()),
            Err(why) => {
                let path = change.path.clone();
                match why {
                    Why::System(error) if super::is_shortage(&error) => Err((path, error)),
                    why => {
                        self.applied.failed.push(Failure { path, why });
                        Ok(())
                    }
                }
            }
        }
    }

    fn place(&mut self, number: usize) -> Result<Place, Why> {
        let path = &self.changes[number].path;
        let (dir, name) = place(&mut self.way, path)?;
        Ok(Place {
            change: number,
            path: path.clone(),
            dir,
            name: name.to_vec(),
            temp: self.cycle.temps.of(number),
        })
    }

    fn carry_out_at(&mut self, place: &Place, change: &Change) -> Result<(), Why> {
        let Some(new) = &change.new else {
            let Some(old) = &change.old else {
                return Ok(());
            };
            let seen = self.seen(&change.path, old)?;
            self.touch(place);
            if self.remove(place, seen, &self.cycle.slot(place.change))? {
                self.done(&change.path, None);
            }
            return Ok(());
        };
        if let Some(error) = self.spoilt.remove(&place.change) {
            self.discard(place.change);
            return Err(Why::System(error));
        }
        let mut unready = std::mem::take(&mut self.unready[place.change]);
        if let Some(at) = unready
            .iter()
            .position(|failure| failure.path == change.path)
        {
            return Err(unready.swap_remove(at).why);
        }
        self.touch(place);
        let put = match &change.old {
            None => self.create(place),
            Some(old) => self.replace(place, old),
        };
        if put.is_err() {
            self.discard(place.change);
        }
        put?;
        self.published.insert(place.change);
        let made = as_made(new, &change.path, &unready);
        self.done(&change.path, Some(made));
        self.applied.failed.append(&mut unready);
        Ok(())
    }

    fn create(&mut self, place: &Place) -> Result<(), Why> {
        let Place {
            dir, name, temp, ..
        } = place;
        dir.rename(temp, dir, name)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Why::ChangedHere,
                _ => gone_or(error),
            })
    }

    fn replace(&mut self, place: &Place, old: &Node) -> Result<(), Why> {
        let Place {
            dir, name, temp, ..
        } = place;
        let seen = self.seen(&place.path, old)?;
        if !self.expected.stands(dir, name, seen)? {
            return Err(Why::ChangedHere);
        }
        let new = dir.look(temp)?;
        let slot = self.cycle.slot(place.change);
        match dir.exchange(temp, name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                return match self.remove_whole(place, seen, &slot)? {
                    true => self.create(place),
                    false => Err(Why::ChangedHere),
                };
            }
            Err(error) => return Err(gone_or(error)),
        }
        let came_out = self.expected.came_out(dir, temp, seen);
        let stowed = match came_out {
            Ok(true) => slot.stow(dir, temp).map_err(Why::System),
            Ok(false) => Err(Why::ChangedHere),
            Err(error) => Err(Why::System(error)),
        };
        if stowed.is_err() {
            put_back_instead(place, new, &slot)?;
        }
        stowed
    }

    /// Whether an entry is gone; where it is a directory and something stays in it, that is told.
    fn remove(&mut self, place: &Place, known: Known<'_>, slot: &Slot) -> Result<bool, Why> {
        let removed = self.remove_whole(place, known, slot);
        match (removed, known.1) {
            (Ok(true), _) => Ok(true),
            (Ok(false), Seen::Dir(seen)) => self.remove_children(place, seen, slot),
            (Ok(false), _) => Err(Why::ChangedHere),
            (Err(error), Seen::Dir(seen)) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.remove_children(place, seen, slot)
            }
            (Err(error), _) => Err(gone_or(error)),
        }
    }

    /// Takes an entry away with all below it, if all is as it was seen.
    fn remove_whole(&mut self, place: &Place, known: Known<'_>, slot: &Slot) -> io::Result<bool> {
        let Place {
            dir, name, temp, ..
        } = place;
        if !self.expected.stands(dir, name, known)? {
            return Ok(false);
        }
        dir.rename(name, dir, temp)?;
        let came_out = self.expected.came_out(dir, temp, known);
        let stowed = match came_out {
            Ok(true) => slot.stow(dir, temp).map(|()| true),
            Ok(false) => Ok(false),
            Err(error) => Err(error),
        };
        if !matches!(stowed, Ok(true)) {
            put_back(place, slot)?;
        }
        stowed
    }

    fn remove_children(&mut self, place: &Place, seen: &SeenDir, slot: &Slot) -> Result<bool, Why> {
        let dir = Arc::new(place.dir.open_dir(&place.name).map_err(gone_or)?);
        let slots = slot.make_dir()?;
        let mark = self.applied.done.len();
        let mut all_gone = true;
        for (position, (name, _)) in seen.dir.iter().enumerate() {
            let place = Place {
                change: place.change,
                path: place.path.join(name),
                dir: dir.clone(),
                name: name.as_bytes().to_vec(),
                temp: self.cycle.temps.of_child(place.change, position),
            };
            let entry = seen.get(name).expect("BUG: one of its own names");
            match self.remove(&place, entry, &slots.slot(name.as_bytes())) {
                Ok(true) => self.done(&place.path, None),
                Ok(false) => all_gone = false,
                Err(why) if why.is_shortage() => return Err(why),
                Err(why) => {
                    all_gone = false;
                    let path = place.path;
                    self.applied.failed.push(Failure { path, why });
                }
            }
        }
        self.touched.insert(place.path.clone(), dir);
        if !all_gone {
            return Ok(false);
        }
        match place.dir.remove_dir(&place.name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                return Err(Why::NotEmpty);
            }
            Err(error) => return Err(gone_or(error)),
        }
        self.touched.remove(&place.path);
        self.applied.done.truncate(mark);
        Ok(true)
    }

    /// What was seen at a place, when that is what the plan says.
    fn seen(&self, path: &RelPath, old: &Node) -> Result<Known<'a>, Why> {
        let seen = self.before.get(path).filter(|(node, _)| node.same(old));
        seen.ok_or(Why::ChangedHere)
    }

    fn done(&mut self, path: &RelPath, entry: Option<Node>) {
        let path = path.clone();
        self.applied.done.push(Edit { path, entry });
    }

    fn touch(&mut self, place: &Place) {
        let parent = place.path.parent().unwrap_or_default();
        self.touched
            .entry(parent)
            .or_insert_with(|| place.dir.clone());
    }

    /// Takes away what was made ready for a change and does not come.
    fn discard(&mut self, number: usize) {
        if let (Ok(place), Some(new)) = (self.place(number), &self.changes[number].new) {
            discard(&place.dir, &place.temp, new);
        }
    }
}

/// Removes what was made and nothing else. What cannot be removed stays until leftovers are looked for.
fn discard(dir: &DirHandle, name: &[u8], made: &Node) {
    let Node::Dir(entries) = made else {
        let _ = dir.remove_file(name);
        return;
    };
    if let Ok(inner) = dir.open_dir(name) {
        for (name, child) in entries.iter() {
            discard(&inner, name.as_bytes(), child);
        }
        let _ = dir.remove_dir(name);
    }
}

/// Undoes a move aside. Where somebody has put something new in the place, the old goes to the trash.
fn put_back(place: &Place, slot: &Slot) -> io::Result<()> {
    let Place {
        dir, name, temp, ..
    } = place;
    match dir.rename(temp, dir, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => slot.stow(dir, temp),
        moved => moved,
    }
}

/// Undoes an exchange. Where somebody has changed what was put in place by it, that goes to the trash.
fn put_back_instead(place: &Place, new: Option<Kind>, slot: &Slot) -> Result<(), Why> {
    let Place {
        dir, name, temp, ..
    } = place;
    match dir.exchange(temp, name) {
        Ok(()) => {}
        // Somebody has removed what was put there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(put_back(place, slot)?);
        }
        Err(error) => return Err(error.into()),
    }
    let is_ours = match (new, dir.look(temp)?) {
        (Some(Kind::File { stamp: one, .. }), Some(Kind::File { stamp: two, .. })) => {
            one == Stamp {
                ctime: one.ctime,
                ..two
            }
        }
        (Some(Kind::Link), Some(Kind::Link)) => true,
        _ => false,
    };
    if !is_ours {
        slot.stow(dir, temp)?;
    }
    Ok(())
}

/// What was made of a new entry, without what was not.
fn as_made(new: &Node, at: &RelPath, unready: &[Failure]) -> Node {
    let missing = unready.iter().map(|failure| Edit {
        path: failure.path.below(at).unwrap_or_default(),
        entry: None,
    });
    let made = Node::replaced(Some(new), &missing.collect::<Vec<_>>());
    made.expect("BUG: only what is in a directory is missing from it")
}
