//! Puts in place what was made ready, and takes away what goes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use mizzen_sync_core::{Change, Edit, Node, RelPath};

use super::expected::Expected;
use super::moved::Moves;
use super::order::Here;
use super::stage::Staged;
use super::{Applied, Disk, Failure, Why, place};
use crate::root::{DirHandle, Directory, Root, Way, is_shortage};
use crate::scan::{Known, Scan, as_it_was_made};
use crate::temp::Part;
use crate::trash::{Cycle, Shelf};

pub(super) struct Publish<'a> {
    pub(super) way: Way,
    pub(super) changes: &'a [Change],
    pub(super) before: &'a Scan,
    pub(super) here: &'a HashMap<RelPath, Here>,
    pub(super) moves: &'a Moves,
    /// Directories on their way from one place to another, by the changes that take them away.
    pub(super) aside: HashMap<usize, Place>,
    /// Of these, those that were told not to be what was seen.
    pub(super) failed_to_leave: HashSet<usize>,
    pub(super) cycle: &'a Cycle,
    /// Where that is kept which came a long way and does not come to its place.
    pub(super) shelf: Option<&'a Shelf>,
    pub(super) expected: Expected,
    /// Of each change, what of it was not made ready.
    pub(super) unready: Vec<Vec<Failure>>,
    pub(super) spoilt: HashMap<usize, io::Error>,
    /// Changes of which nothing that was made ready is left under a temporary name: there never was anything, it has
    /// taken its place, or what stands there now may be what somebody wrote.
    pub(super) not_ready: HashSet<usize>,
    /// Changes that have put something in place.
    pub(super) published: HashSet<usize>,
    /// Directories in which names came or went.
    pub(super) touched: BTreeSet<RelPath>,
    /// Whether something is left under a temporary name.
    pub(super) untidy: bool,
    pub(super) applied: Applied,
}

/// An entry, by the directory that holds it.
pub(super) struct Place {
    pub(super) change: usize,
    pub(super) path: RelPath,
    pub(super) dir: Arc<DirHandle>,
    pub(super) name: Vec<u8>,
    /// Where in the same directory it is moved aside.
    pub(super) aside: Vec<u8>,
}

/// Where it ended before the end.
type Ended = (RelPath, io::Error);

impl<'a> Publish<'a> {
    pub(super) fn new(
        root: &Root,
        changes: &'a [Change],
        before: &'a Scan,
        here: &'a HashMap<RelPath, Here>,
        moves: &'a Moves,
        cycle: &'a Cycle,
        staged: Staged,
    ) -> Self {
        let spoilt: HashMap<_, _> = staged.spoilt.into_iter().collect();
        let mut unready: Vec<Vec<Failure>> = changes.iter().map(|_| Vec::new()).collect();
        let all = 0..changes.len();
        let mut not_ready: HashSet<usize> = all.filter(|number| moves.comes(*number)).collect();
        for (change, failure) in staged.failed {
            if failure.path == changes[change].path && !spoilt.contains_key(&change) {
                not_ready.insert(change);
            }
            unready[change].push(failure);
        }
        Self {
            way: Way::new(root.handle()),
            changes,
            before,
            here,
            moves,
            aside: HashMap::new(),
            failed_to_leave: HashSet::new(),
            cycle,
            shelf: None,
            expected: Expected::new(staged.named_twice),
            unready,
            spoilt,
            not_ready,
            published: HashSet::new(),
            touched: BTreeSet::new(),
            untidy: false,
            applied: Applied {
                files: staged.files,
                bytes: staged.bytes,
                reused: staged.reused,
                made: staged.made,
                ..Applied::default()
            },
        }
    }

    /// `planned` says whether the plan is on disk.
    pub(super) fn run(&mut self, disk: &Disk<'_>, planned: io::Result<()>) -> Result<(), Ended> {
        let carried_out = self.carry_out_all(disk, planned);
        self.bring_back_moved();
        if let Err((_, error)) = &carried_out {
            // Where room is what is missing, it is given back.
            let shelf = self.shelf.filter(|_| !is_shortage(error));
            (0..self.changes.len()).for_each(|number| self.discard(number, shelf));
        }
        let synced = disk.sync_names(&mut self.way, &self.touched);
        if synced.is_err() {
            // Whether it is on disk, nobody knows.
            self.applied.done.clear();
        }
        carried_out.and(synced.map_err(|error| (RelPath::root(), error)))?;
        self.drop_second_names();
        Ok(())
    }

    fn carry_out_all(&mut self, disk: &Disk<'_>, planned: io::Result<()>) -> Result<(), Ended> {
        let of_root = |error| (RelPath::root(), error);
        disk.check_root().map_err(of_root)?;
        self.take_shortage().map_or(Ok(()), Err)?;
        planned.and_then(|()| disk.sync_new()).map_err(of_root)?;
        // What goes makes room first: for names that a disk takes for one, and for files that get another name.
        let all = 0..self.changes.len();
        let (goes, comes): (Vec<_>, Vec<_>) =
            all.partition(|number| self.changes[*number].new.is_none());
        goes.into_iter()
            .try_for_each(|number| self.carry_out(number))?;
        self.take_back_second_names();
        comes
            .into_iter()
            .try_for_each(|number| self.carry_out(number))?;
        disk.check_root().map_err(of_root)
    }

    /// What ended the making ready, if anything did.
    fn take_shortage(&mut self) -> Option<Ended> {
        let shortage = |failure: &Failure| failure.why.is_shortage();
        let mut all = self.unready.iter_mut();
        let failure = all.find_map(|failures| {
            let at = failures.iter().position(shortage)?;
            Some(failures.swap_remove(at))
        })?;
        match failure.why {
            Why::System(error) | Why::Supply(error) => Some((failure.path, error)),
            _ => None,
        }
    }

    fn carry_out(&mut self, number: usize) -> Result<(), Ended> {
        let change = &self.changes[number];
        let placed = self.place(number);
        let why = match placed.and_then(|place| self.carry_out_at(place, change)) {
            Ok(()) => return Ok(()),
            Err(why) => why,
        };
        self.discard(number, None);
        self.failed_to_leave.insert(number);
        let path = change.path.clone();
        match why {
            Why::System(error) if is_shortage(&error) => Err((path, error)),
            why => {
                self.applied.failed.push(Failure { path, why });
                Ok(())
            }
        }
    }

    fn carry_out_at(&mut self, place: Place, change: &Change) -> Result<(), Why> {
        match (&change.old, &change.new) {
            (None, None) => Ok(()),
            (Some(old), None) => {
                let known = self.known(&change.path, old)?;
                if self.moves.goes(place.change) {
                    return self.move_away(place, known);
                }
                let slot = self.cycle.slot(place.change);
                if self.remove(&place, known, &slot)? {
                    self.done(&change.path, None);
                }
                Ok(())
            }
            (_, Some(new)) if self.moves.comes(place.change) => self.arrive(&place, new),
            (old, Some(new)) => self.put(&place, old.as_ref(), new),
        }
    }

    fn put(&mut self, place: &Place, old: Option<&Node>, new: &Node) -> Result<(), Why> {
        if let Some(error) = self.spoilt.remove(&place.change) {
            return Err(Why::System(error));
        }
        let mut unready = std::mem::take(&mut self.unready[place.change]);
        let itself = unready
            .iter()
            .position(|failure| failure.path == place.path);
        if let Some(at) = itself {
            return Err(unready.swap_remove(at).why);
        }
        match old {
            None => self.create(place)?,
            Some(old) => {
                let known = self.known(&place.path, old)?;
                self.replace(place, known)?;
            }
        }
        self.not_ready.insert(place.change);
        self.published.insert(place.change);
        if let Node::File(file) = new
            && let Some(stamp) = as_it_was_made(&place.dir, &place.name, file)
        {
            self.applied.made.note(stamp, file.digest);
        }
        let made = as_made(new, &place.path, &unready);
        self.done(&place.path, Some(made));
        self.applied.failed.append(&mut unready);
        Ok(())
    }

    fn place(&mut self, number: usize) -> Result<Place, Why> {
        let path = &self.changes[number].path;
        let (dir, name) = place(&mut self.way, path)?;
        Ok(Place {
            change: number,
            path: path.clone(),
            dir,
            name: name.to_vec(),
            aside: self.cycle.temp(number, Part::Old),
        })
    }

    /// What was seen at a place, when that is what the plan says.
    fn known(&self, path: &RelPath, old: &Node) -> Result<Known<'a>, Why> {
        let known = self.before.get(path).filter(|(node, _)| node.same(old));
        known.ok_or(Why::ChangedHere)
    }

    pub(super) fn done(&mut self, path: &RelPath, entry: Option<Node>) {
        let path = path.clone();
        self.applied.done.push(Edit { path, entry });
    }

    /// Takes away what was made ready for a change and did not come.
    fn discard(&mut self, number: usize, shelf: Option<&Shelf>) {
        let Some(new) = &self.changes[number].new else {
            return;
        };
        if self.not_ready.contains(&number) {
            return;
        }
        // Where the directory is somewhere else by now, so is what was made in it.
        let discarded = self.place(number).is_ok_and(|place| {
            let temp = self.cycle.temp(number, Part::New);
            discard(&place.dir, &temp, new, shelf).is_ok()
        });
        self.untidy |= !discarded;
    }
}

/// Removes what was made and nothing else. Contents that may still be wanted go on the shelf.
pub(crate) fn discard(
    dir: &DirHandle,
    name: &[u8],
    made: &Node,
    shelf: Option<&Shelf>,
) -> io::Result<()> {
    let discarded = match made {
        Node::Dir(entries) => dir.open_dir(name).and_then(|inner| {
            for (name, child) in entries.iter() {
                discard(&inner, name.as_bytes(), child, shelf)?;
            }
            dir.remove_dir(name)
        }),
        Node::File(file) if shelf.is_some_and(|shelf| shelf.keep(dir, name, file)) => Ok(()),
        Node::File(_) | Node::Link(_) => dir.remove_file(name),
        Node::Unsyncable(_) => Ok(()),
    };
    match discarded {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        discarded => discarded,
    }
}

/// What was made of a new entry, without what was not.
pub(crate) fn as_made<'f>(
    new: &Node,
    at: &RelPath,
    unready: impl IntoIterator<Item = &'f Failure>,
) -> Node {
    let missing = unready.into_iter().map(|failure| Edit {
        path: failure.path.below(at).unwrap_or_default(),
        entry: None,
    });
    let made = Node::replaced(Some(new), &missing.collect::<Vec<_>>());
    made.expect("BUG: only what is in a directory is missing from it")
}
