//! Looks back at cycles, and makes plans that take them back.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use mizzen_sync_core::{Change, Edit, File, Mode, Name, Node, Plan, RelPath, reconcile};

use super::cycle::slot_name;
use super::{CycleId, Trash, TrashError, manifest};
use crate::apply::{Contents, FromHandle, Supply, SupplyError};
use crate::entry::Kind;
use crate::root::{DirHandle, Directory, Way};
use crate::scan::Scan;

/// No more places of one cycle are told of.
const TOLD_MAX: usize = 1000;

/// A cycle of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// How it is called, by when it began.
    pub id: CycleId,
    /// What it was to do, but no more than so many places; [`Self::places`] says how many there are.
    pub changes: Vec<PastChange>,
    /// How many places it was to change.
    pub places: u64,
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

/// Which cycles of the past are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Only those before this one.
    pub before: Option<CycleId>,
    /// Only those that keep what stood at a place.
    pub of: Option<RelPath>,
    /// So many, the last ones.
    pub most: usize,
}

impl Recall {
    /// So many of the last ones.
    #[must_use]
    pub fn last(most: usize) -> Self {
        Self {
            before: None,
            of: None,
            most,
        }
    }
}

/// How a side gets back what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The cycle that keeps the contents.
    pub id: CycleId,
    /// What takes it back, with [`Trash::contents`] for the contents.
    pub plan: Plan,
    /// Places that have changed since, and stay as they are.
    pub refused: Vec<RelPath>,
}

impl Trash {
    /// Tells of cycles, the last one first.
    ///
    /// # Errors
    /// The trash cannot be read.
    pub fn history(&self, recall: &Recall) -> Result<Vec<Past>, TrashError> {
        let (over, _) = self.cycles().map_err(self.error(""))?;
        let mut history = Vec::new();
        let wanted = |id: &CycleId| recall.before.is_none_or(|before| *id < before);
        for id in over.into_iter().rev().filter(wanted) {
            if history.len() >= recall.most {
                break;
            }
            let Some(handle) = self.cycle(id)? else {
                continue;
            };
            let changes = manifest(&handle).map_or(Vec::new(), |manifest| manifest.changes);
            if let Some(path) = &recall.of
                && kept(&handle, &changes, path).is_none()
            {
                continue;
            }
            let weight = weigh(&handle).map_err(self.error(&id.to_string()))?;
            history.push(Past {
                id,
                changes: changes.iter().filter_map(past).take(TOLD_MAX).collect(),
                places: changes.len() as u64,
                files: weight.files,
                bytes: weight.bytes,
            });
        }
        Ok(history)
    }

    /// Makes a plan that takes a cycle back, for a side of which `now` was seen: what it replaced and removed comes
    /// back, and what it created goes, wherever that is still as the cycle left it. None when there is no such cycle.
    ///
    /// # Errors
    /// The trash cannot be read, or it is not known any more what the cycle did.
    pub fn undo(&self, id: CycleId, now: &Scan) -> Result<Option<Undo>, TrashError> {
        let Some(cycle) = self.cycle(id)? else {
            return Ok(None);
        };
        let changes = self.changes(&cycle, id)?;
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
        Ok(Some(Undo {
            id,
            refused: refused.collect(),
            plan: outcome.container,
        }))
    }

    /// Makes a plan that brings back what a cycle displaced at a place, for a side of which `now` was seen. None when
    /// there is no such cycle, or when it keeps nothing of the place.
    ///
    /// # Errors
    /// The trash cannot be read.
    pub fn restore(
        &self,
        path: &RelPath,
        id: CycleId,
        now: &Scan,
    ) -> Result<Option<Undo>, TrashError> {
        let Some(cycle) = self.cycle(id)? else {
            return Ok(None);
        };
        let changes = manifest(&cycle).map_or(Vec::new(), |manifest| manifest.changes);
        let Some(entry) = kept(&cycle, &changes, path) else {
            return Ok(None);
        };
        let now = now.tree();
        let edit = Edit {
            path: path.clone(),
            entry: Some(entry),
        };
        let then = Node::replaced(Some(&now), &[edit]);
        let outcome = reconcile(Some(&now), then.as_ref(), Some(&now), Mode::TwoWaySafe);
        Ok(Some(Undo {
            id,
            plan: outcome.container,
            refused: Vec::new(),
        }))
    }

    /// The contents that a cycle displaced, by the places from which it did.
    ///
    /// # Errors
    /// There is no such cycle, or it is not known any more what it did.
    pub fn contents(&self, id: CycleId) -> Result<FromTrash, TrashError> {
        let cycle = self.cycle(id)?.ok_or(io::ErrorKind::NotFound.into());
        let cycle = cycle.map_err(self.error(&id.to_string()))?;
        let changes = self.changes(&cycle, id)?;
        let slots = changes.into_iter().map(|change| change.path).zip(0..);
        Ok(FromTrash {
            slots: slots.collect(),
            cycle,
        })
    }

    /// A cycle's folder, when there is one.
    fn cycle(&self, id: CycleId) -> Result<Option<Arc<DirHandle>>, TrashError> {
        let name = id.to_string();
        match self.handle.open_dir(name.as_bytes()) {
            Ok(opened) => Ok(Some(Arc::new(opened))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(&name)(error)),
        }
    }

    fn changes(&self, cycle: &DirHandle, id: CycleId) -> Result<Vec<Change>, TrashError> {
        let manifest = manifest(cycle).ok_or(io::Error::from(io::ErrorKind::InvalidData));
        Ok(manifest.map_err(self.error(&id.to_string()))?.changes)
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
fn kept(cycle: &Arc<DirHandle>, changes: &[Change], path: &RelPath) -> Option<Node> {
    let (number, change) = changes
        .iter()
        .enumerate()
        .find(|(_, change)| path.is_at_or_below(&change.path))?;
    let below = path.below(&change.path)?;
    let entry = change.old.as_ref()?.get(&below)?;
    let slot = slot_path(number, &below);
    let name = slot.components().last()?;
    let is_there = Way::new(cycle)
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

/// Weighs all that a cycle keeps, but not the plan, nor what nobody may look at.
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
            Kind::Dir => {
                let inner = dir.open_dir(listed.name.as_bytes());
                match inner.and_then(|inner| add_weight(&inner, weight)) {
                    // What stood there may have been closed by its owner.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                    weighed => weighed?,
                }
            }
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
