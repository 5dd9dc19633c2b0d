//! Looks back at cycles, and takes them back.
//!
//! What is taken back on a side looks like a person's change there, and the next cycle carries it to the other: the base
//! stays, so that what has happened since on either side counts as well. But where a cycle displaced what both had not
//! agreed on, to merge two versions or to decide for one, the other side had something of its own, and must not lose it
//! to what comes back: there the base forgets, and they are a conflict again. It forgets first, so that whoever is killed
//! in between has lost nothing either. Where the mode decides such conflicts, what comes back goes over as well: it would
//! decide the same again.

use std::collections::BTreeMap;

use mizzen_sync_core::{Edit, Halt, Mode, Node, RelPath, Side};

use super::journal::Audit;
use super::{AskError, Both, Cycle, CycleError, Link};
use crate::endpoint::{TakeBack, TakenBack};
use crate::trash::{CycleId, Past, Recall};

/// A cycle of the past, as the trash of each side knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastCycle {
    /// How it is called.
    pub id: CycleId,
    /// What it did on each side; none where it did nothing, or where that is not known any more.
    pub sides: Both<Option<Past>>,
}

/// What came of taking something back.
#[derive(Debug)]
pub struct Undone {
    /// What was done.
    pub cycle: Cycle,
    /// Places that have changed since, and stay as they are.
    pub refused: Both<Vec<RelPath>>,
}

impl Link {
    /// Tells of cycles, the last one first, and of what a person asked for, which is a cycle as well.
    ///
    /// # Errors
    /// The trash of a side cannot be read.
    pub fn history(&mut self, recall: &Recall) -> Result<Vec<PastCycle>, AskError> {
        let mut cycles: BTreeMap<CycleId, Both<Option<Past>>> = BTreeMap::new();
        for side in [Side::Host, Side::Container] {
            let history = self.sides.of(side).history(recall);
            for past in history.map_err(|error| AskError::Trash(side, error))? {
                let id = past.id;
                *cycles.entry(id).or_default().of(side) = Some(past);
            }
        }
        let joined = cycles.into_iter().rev().take(recall.most);
        Ok(joined.map(|(id, sides)| PastCycle { id, sides }).collect())
    }

    /// Takes back what a cycle did on both sides, wherever that is still as it left it. The next cycle carries it over.
    ///
    /// # Errors
    /// Neither side knows of the cycle, the mode would do it again, or a side takes no changes.
    pub fn undo(&mut self, id: CycleId) -> Result<Undone, AskError> {
        if matches!(self.options.mode, Mode::OneWaySafe | Mode::OneWayReplica) {
            return Err(AskError::Mode(self.options.mode));
        }
        self.look_at_both()?;
        if self.options.mode == Mode::TwoWaySafe {
            self.forget_contested(id)?;
        }
        let what = TakeBack::Cycle(id);
        let undone = self.take_back(&[Side::Host, Side::Container], &what)?;
        let undone = undone.ok_or(AskError::UnknownCycle(id))?;
        self.audit(&Audit::undo(&undone, id));
        Ok(undone)
    }

    /// Brings back what stood at a place: at a time, by the name of a cycle that began then, or before the last cycle
    /// that displaced it. It comes back on the side where it was displaced, or on the one that is named. The next cycle
    /// carries it over.
    ///
    /// # Errors
    /// The trash keeps nothing of it, the mode would do it again, or the side takes no changes.
    pub fn restore(
        &mut self,
        path: &RelPath,
        at: Option<CycleId>,
        side: Option<Side>,
    ) -> Result<Undone, AskError> {
        let nothing = || AskError::NothingKept(path.clone());
        let found = self.displaced(path, at, side)?;
        let (id, side) = found.ok_or_else(nothing)?;
        if self.options.mode == Mode::OneWayReplica {
            return Err(AskError::Mode(self.options.mode));
        }
        self.look_at_both()?;
        let what = TakeBack::Place(id, path.clone());
        let undone = self.take_back(&[side], &what)?;
        let undone = undone.ok_or_else(nothing)?;
        self.audit(&Audit::restore(&undone, path, id, side));
        Ok(undone)
    }

    /// The cycle that displaced what stood at a place at a time, and where.
    fn displaced(
        &mut self,
        path: &RelPath,
        at: Option<CycleId>,
        wanted: Option<Side>,
    ) -> Result<Option<(CycleId, Side)>, AskError> {
        let recall = Recall {
            of: Some(path.clone()),
            ..Recall::last(if at.is_some() { usize::MAX } else { 1 })
        };
        let mut found = Vec::new();
        for side in [Side::Host, Side::Container] {
            if wanted.is_none_or(|wanted| wanted == side) {
                let history = self.sides.of(side).history(&recall);
                let history = history.map_err(|error| AskError::Trash(side, error))?;
                found.extend(history.into_iter().map(|past| (past.id, side)));
            }
        }
        let found = found.into_iter();
        Ok(match at {
            None => found.max_by_key(|(id, _)| *id),
            Some(at) => found.filter(|(id, _)| *id >= at).min_by_key(|(id, _)| *id),
        })
    }

    /// None when no side knows of it.
    fn take_back(&mut self, sides: &[Side], what: &TakeBack) -> Result<Option<Undone>, AskError> {
        let mut cycle = Cycle::new(self.begin());
        let mut refused = Both::default();
        let (mut is_known, mut ended) = (false, Ok(()));
        for side in sides {
            let taken = self.sides.of(*side).take_back(cycle.id, what);
            let taken = match taken {
                Ok(None) => continue,
                Ok(Some(taken)) => Ok(taken),
                Err(error) => Err(error),
            };
            is_known = true;
            let done = taken.map(
                |TakenBack {
                     applied,
                     refused: left,
                 }| {
                    *refused.of(*side) = left;
                    applied
                },
            );
            ended = cycle.took(*side, done);
            if ended.is_err() {
                break;
            }
        }
        self.note_stale(&mut cycle);
        ended?;
        Ok(is_known.then_some(Undone { cycle, refused }))
    }

    /// Looks at everything, on sides that are there.
    fn look_at_both(&mut self) -> Result<(), CycleError> {
        self.plan(&Both::everything())?;
        let trees = [Side::Host, Side::Container].into_iter().zip(self.trees());
        let mut missing = trees.filter(|(_, tree)| tree.is_none());
        match missing.next() {
            Some((side, _)) => Err(Halt::RootMissing(side).into()),
            None => Ok(()),
        }
    }

    /// The base does not know any more what both sides agreed on where a cycle displaced what they had not agreed on.
    fn forget_contested(&mut self, id: CycleId) -> Result<(), AskError> {
        let contested = self.journal.as_ref().map(|journal| journal.contested(id));
        let edits = contested
            .into_iter()
            .flatten()
            .map(|path| Edit { path, entry: None });
        let edits: Vec<Edit> = edits.collect();
        if edits.is_empty() {
            return Ok(());
        }
        self.base = Node::overlaid(self.base.as_ref(), &edits);
        Ok(self.store.learn(&edits, self.base.as_ref())?)
    }
}
