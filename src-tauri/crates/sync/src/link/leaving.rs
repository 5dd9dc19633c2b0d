//! Directories that a cycle was to take away, and that hold what is not carried.

use mizzen_fsx::PathError;
use mizzen_sync_core::{Change, Edit, Left, Outcome, RelPath, Side};

use super::{Cycle, Link};
use crate::apply::{Applied, Why};

impl Link {
    /// What only stays for the sake of what is not carried is as good as gone: the base is to forget it.
    pub(super) fn leave(
        &mut self,
        cycle: &mut Cycle,
        outcome: &Outcome,
    ) -> Result<Vec<Edit>, PathError> {
        let mut new: Vec<Left> = Vec::new();
        for (side, plan) in outcome.plans() {
            let applied = cycle.applied.of(side);
            for change in plan.changes.iter().filter(|change| change.new.is_none()) {
                new.extend(left_of(side, change, applied));
            }
        }
        let trees = self.trees();
        let left = self.store.left().iter().filter(|left| {
            let is_part = |new: &Left| new.side == left.side && left.path.is_at_or_below(&new.path);
            left.stands(trees) && !new.iter().any(is_part)
        });
        let left = left.chain(&new).cloned().collect();
        self.store.leave(left)?;
        let forgotten = new
            .into_iter()
            .map(|Left { path, .. }| Edit { path, entry: None });
        Ok(forgotten.collect())
    }

    /// On which side alone a place stays, if it does.
    pub(super) fn stays(&self, path: &RelPath) -> Option<Side> {
        let mut left = self.store.left().iter();
        let is_there = |left: &&Left| path.is_at_or_below(&left.path) && left.stands(self.trees());
        left.find(is_there).map(|left| left.side)
    }
}

/// What stays of a directory, when nothing else is in the way: nobody needs to be told then.
fn left_of(side: Side, change: &Change, applied: &mut Applied) -> Option<Left> {
    let is_here = |path: &RelPath| path.is_at_or_below(&change.path);
    let mut failed = applied
        .failed
        .iter()
        .filter(|failure| is_here(&failure.path));
    let is_kept = failed
        .next()
        .is_some_and(|it| matches!(it.why, Why::NotEmpty));
    if !is_kept || failed.any(|failure| !matches!(failure.why, Why::NotEmpty)) {
        return None;
    }
    let gone = applied.done.iter().map(|edit| &edit.path);
    let left = Left::of(side, change, gone.filter(|path| is_here(path)))?;
    applied.failed.retain(|failure| !is_here(&failure.path));
    Some(left)
}
