//! Looks back at cycles, and makes plans that take them back.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use mizzen_sync_core::{Change, Edit, File, Mode, Name, Node, Plan, RelPath, reconcile};

use super::cycle::slot_name;
use super::{Trash, TrashError, manifest, time};
use crate::apply::{Contents, FromHandle, Supply, SupplyError};
use crate::entry::Kind;
use crate::root::{DirHandle, Directory, Way};
use crate::scan::Scan;

/// A cycle of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// How it is called.
    pub id: String,
    /// When it began, in nanoseconds since 1970.
    pub time: i64,
    /// What it was to do.
    pub changes: Vec<PastChange>,
    /// Files that the trash keeps of it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a cycle was to do at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastChange {
    /// The place.
    pub path: RelPath,
    /// What of it.
    pub was: Was,
}

/// What was done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// Something was put where nothing was.
    Created,
    /// Something was put in the place of something else.
    Replaced,
    /// What was there went.
    Removed,
}

/// How a side gets back what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The cycle that keeps the contents.
    pub id: String,
    /// What takes it back, with [`Trash::contents`] for the contents.
    pub plan: Plan,
    /// Places that have changed since, and stay as they are.
    pub refused: Vec<RelPath>,
}

impl Trash {
    /// Tells of so many cycles, the last one first.
    ///
    /// # Errors
    /// The trash cannot be read.
    pub fn history(&self, most: usize) -> Result<Vec<Past>, TrashError> {
        let (over, _) = self.cycles().map_err(self.error(""))?;
        let mut history = Vec::new();
        for id in over.into_iter().rev().take(most) {
            let handle = self.cycle(&id)?;
            let kept = weigh(&handle).map_err(self.error(&id))?;
            let changes = manifest(&handle).map_or(Vec::new(), |manifest| manifest.changes);
            history.push(Past {
                time: time(&id).unwrap_or_default(),
                id,
                changes: changes.iter().filter_map(past).collect(),
                files: kept.files,
                bytes: kept.bytes,
            });
        }
        Ok(history)
    }

    /// Makes a plan that takes a cycle back, for a side of which `now` was seen: what it replaced and removed comes
    /// back, and what it created goes, wherever that is still as the cycle left it.
    ///
    /// # Errors
    /// There is no such cycle, or it is not known any more what it did.
    pub fn undo(&self, id: &str, now: &Scan) -> Result<Undo, TrashError> {
        let changes = self.changes(id)?;
        let edits = |entry: fn(&Change) -> &Option<Node>| -> Vec<Edit> {
            let edits = changes.iter().map(|change| Edit {
                path: change.path.clone(),
                entry: entry(change).clone(),
            });
            edits.collect()
        };
        let now = now.tree();
        let before = Node::replaced(Some(&now), &edits(|change| &change.old));
        let after = Node::replaced(Some(&now), &edits(|change| &change.new));
        // What was before is one side's change of what the cycle left; what has happened since is the other's.
        let outcome = reconcile(
            after.as_ref(),
            before.as_ref(),
            Some(&now),
            Mode::TwoWaySafe,
        );
        let refused = outcome.conflicts.into_iter().map(|conflict| conflict.path);
        let refused = refused.chain(outcome.merges.into_iter().map(|merge| merge.path));
        let refused = refused.chain(outcome.problems.into_iter().map(|problem| problem.path));
        let refused = refused.chain(outcome.host.changes.into_iter().map(|change| change.path));
        Ok(Undo {
            id: id.to_owned(),
            refused: refused.collect(),
            plan: outcome.container,
        })
    }

    /// Makes a plan that brings back what stood at a place, for a side of which `now` was seen: as the last cycle, or
    /// the one that is named, displaced it. None when no cycle did.
    ///
    /// # Errors
    /// The trash cannot be read, or there is no such cycle.
    pub fn restore(
        &self,
        path: &RelPath,
        id: Option<&str>,
        now: &Scan,
    ) -> Result<Option<Undo>, TrashError> {
        let ids = match id {
            Some(id) => vec![id.to_owned()],
            None => self.cycles().map_err(self.error(""))?.0,
        };
        for id in ids.into_iter().rev() {
            let handle = Arc::new(self.cycle(&id)?);
            let changes = manifest(&handle).map_or(Vec::new(), |manifest| manifest.changes);
            if let Some(entry) = kept(handle, &changes, path) {
                let now = now.tree();
                let edit = Edit {
                    path: path.clone(),
                    entry: Some(entry),
                };
                let then = Node::replaced(Some(&now), &[edit]);
                let outcome = reconcile(Some(&now), then.as_ref(), Some(&now), Mode::TwoWaySafe);
                let (plan, refused) = (outcome.container, Vec::new());
                return Ok(Some(Undo { id, plan, refused }));
            }
        }
        Ok(None)
    }

    /// The contents that a cycle displaced, by the places from which it did.
    ///
    /// # Errors
    /// There is no such cycle, or it is not known any more what it did.
    pub fn contents(&self, id: &str) -> Result<FromTrash, TrashError> {
        let changes = self.changes(id)?;
        let slots = changes.into_iter().map(|change| change.path).zip(0..);
        Ok(FromTrash {
            cycle: Arc::new(self.cycle(id)?),
            slots: slots.collect(),
        })
    }

    fn cycle(&self, id: &str) -> Result<DirHandle, TrashError> {
        // What comes from a person is an id, and no path.
        let known = time(id).ok_or(io::Error::from(io::ErrorKind::NotFound));
        let opened = known.and_then(|_| self.handle.open_dir(id.as_bytes()));
        opened.map_err(self.error(id))
    }

    fn changes(&self, id: &str) -> Result<Vec<Change>, TrashError> {
        let manifest = manifest(&self.cycle(id)?);
        let manifest = manifest.ok_or(io::Error::from(io::ErrorKind::InvalidData));
        Ok(manifest.map_err(self.error(id))?.changes)
    }
}

fn past(change: &Change) -> Option<PastChange> {
    let was = match (&change.old, &change.new) {
        (None, Some(_)) => Was::Created,
        (Some(_), Some(_)) => Was::Replaced,
        (Some(_), None) => Was::Removed,
        (None, None) => return None,
    };
    let path = change.path.clone();
    Some(PastChange { path, was })
}

/// What a cycle keeps of a place.
fn kept(cycle: Arc<DirHandle>, changes: &[Change], path: &RelPath) -> Option<Node> {
    let (number, change) = changes
        .iter()
        .enumerate()
        .find(|(_, change)| path.is_at_or_below(&change.path))?;
    let below = path.below(&change.path)?;
    let entry = change.old.as_ref()?.get(&below)?;
    let slot = slot_path(number, &below);
    let name = slot.components().last()?;
    let is_there = Way::new(&cycle)
        .to(&slot.parent()?)
        .ok()?
        .look(name)
        .ok()?
        .is_some();
    is_there.then(|| entry.clone())
}

/// Where in a cycle's folder something is kept that stood below the place of a change.
pub(crate) fn slot_path(change: usize, below: &RelPath) -> RelPath {
    let mut path = RelPath::root();
    let slot = Name::new(slot_name(change)).expect("BUG: a number is a name");
    path = path.join(&slot);
    below.names().fold(path, |path, name| path.join(&name))
}

/// What is kept somewhere.
#[derive(Clone, Copy, Default)]
pub(super) struct Weight {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Weighs all that a cycle keeps, but not the plan.
pub(super) fn weigh(cycle: &DirHandle) -> io::Result<Weight> {
    let mut weight = Weight::default();
    add_weight(cycle, &mut weight)?;
    if let Some(Kind::File { stamp, .. }) = cycle.look(super::PLAN)? {
        weight.files -= 1;
        weight.bytes -= stamp.size;
    }
    Ok(weight)
}

fn add_weight(dir: &DirHandle, weight: &mut Weight) -> io::Result<()> {
    for listed in dir.list()? {
        match listed.kind {
            Kind::File { stamp, .. } => {
                weight.files += 1;
                weight.bytes += stamp.size;
            }
            Kind::Dir => add_weight(&dir.open_dir(listed.name.as_bytes())?, weight)?,
            Kind::Link | Kind::Special => {}
        }
    }
    Ok(())
}

/// Contents that a cycle displaced.
pub struct FromTrash {
    cycle: Arc<DirHandle>,
    slots: HashMap<RelPath, usize>,
}

impl Contents for FromTrash {
    fn suppliers(&self) -> usize {
        1
    }

    fn supplier(&self) -> Box<dyn Supply + '_> {
        let slots = &self.slots;
        let files = FromHandle::new(&self.cycle);
        Box::new(FromSlots { slots, files })
    }
}

struct FromSlots<'a> {
    slots: &'a HashMap<RelPath, usize>,
    files: FromHandle,
}

impl Supply for FromSlots<'_> {
    fn supply(
        &mut self,
        path: &RelPath,
        file: &File,
        to: &mut dyn Write,
    ) -> Result<(), SupplyError> {
        let mut above = std::iter::successors(Some(path.clone()), RelPath::parent);
        let found = above.find_map(|above| Some((*self.slots.get(&above)?, path.below(&above)?)));
        let Some((number, below)) = found else {
            return Err(SupplyError::File(io::ErrorKind::NotFound.into()));
        };
        self.files.supply(&slot_path(number, &below), file, to)
    }
}
