//! How one place stands, and why.

use mizzen_sync_core::{Ignored, Outcome, Plan, RelPath, RuleTexts, Rules, Side, Unsyncable};

use super::merge::Merged;
use super::{AskError, Both, Link};
use crate::temp;

/// How a place stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not carried.
    KeptBack {
        /// The entry that the rule fits: the place, or a folder above it.
        at: RelPath,
        /// The rule.
        why: Ignored,
    },
    /// It is one of Mizzen's own files, on their way.
    Temporary,
    /// Both sides changed it, or a folder above it.
    Conflict(RelPath),
    /// It cannot be carried, nor what is below it.
    Problem {
        /// The place, or a folder above it.
        at: RelPath,
        /// Where.
        side: Side,
        /// Why.
        why: Unsyncable,
    },
    /// The last cycle did not get further there.
    Failed {
        /// The place, or a folder above it.
        at: RelPath,
        /// Where.
        side: Side,
        /// Why.
        why: String,
    },
    /// The next cycle changes it there.
    Pending(Side),
    /// The next cycle merges it.
    Merging,
    /// It is a folder, and not all in it is in step.
    Partly {
        /// Conflicts in it.
        conflicts: usize,
        /// What cannot be carried in it.
        problems: usize,
        /// What the next cycle changes in it.
        pending: usize,
    },
    /// Both sides hold the same.
    InStep,
    /// The sides differ, and the mode leaves it so.
    Left,
    /// It went on the other side, and holds what is not carried on this one.
    Stays(Side),
    /// There is no such entry on either side.
    Nowhere,
}

impl Link {
    /// Looks at both sides, and tells how a place stands.
    ///
    /// # Errors
    /// A side cannot be looked at.
    pub fn why(&mut self, path: &RelPath) -> Result<Standing, AskError> {
        let mut outcome = self.plan(&Both::everything())?;
        let merged = Merged::of(&mut outcome, &self.texts, &self.sides);
        if let Some(standing) = self.kept_back(path) {
            return Ok(standing);
        }
        if merged.is_at(path) {
            return Ok(Standing::Merging);
        }
        let above = at_or_above(&outcome, path).or_else(|| self.failure(path));
        // A failure says more than that it is tried again.
        let above = match above {
            Some(Standing::Pending(_)) => self.failure(path).or(above),
            other => other,
        };
        Ok(above
            .or_else(|| below(&outcome, path))
            .unwrap_or_else(|| self.calm(path)))
    }

    fn kept_back(&self, path: &RelPath) -> Option<Standing> {
        if path.names().any(|name| temp::is_one(&name)) {
            return Some(Standing::Temporary);
        }
        let none = RuleTexts::default();
        let source = self.rules.as_ref();
        let rules = Rules::new(source.map_or(&none, |source| source.texts())).ok()?;
        let mut trees = self.trees().into_iter().flatten();
        let seen = trees.find_map(|tree| tree.get(path));
        let is_dir = match seen {
            Some(node) => node.as_dir().is_some(),
            // What nobody has seen may be a folder: more rules fit it then.
            None => source
                .and_then(|source| source.is_dir(path))
                .unwrap_or(true),
        };
        let (at, why) = rules.check_whole(path, is_dir).err()?;
        Some(Standing::KeptBack { at, why })
    }

    fn failure(&self, path: &RelPath) -> Option<Standing> {
        let mut failed = self.failed.iter();
        let (side, at, why) = failed.find(|(_, at, _)| path.is_at_or_below(at))?;
        Some(Standing::Failed {
            at: at.clone(),
            side: *side,
            why: why.clone(),
        })
    }

    /// Known here: nobody is about to do anything with it.
    fn calm(&self, path: &RelPath) -> Standing {
        let [host, container] = self
            .trees()
            .map(|tree| tree.and_then(|tree| tree.get(path)));
        match (host, container) {
            (None, None) => Standing::Nowhere,
            (Some(host), Some(container)) if host.same(container) => Standing::InStep,
            _ => match self.stays(path) {
                Some(side) => Standing::Stays(side),
                None => Standing::Left,
            },
        }
    }
}

fn at_or_above(outcome: &Outcome, path: &RelPath) -> Option<Standing> {
    let is_about = |at: &RelPath| path.is_at_or_below(at);
    let conflict = outcome.conflicts.iter().find(|found| is_about(&found.path));
    if let Some(conflict) = conflict {
        return Some(Standing::Conflict(conflict.path.clone()));
    }
    let problem = outcome.problems.iter().find(|found| is_about(&found.path));
    if let Some(problem) = problem {
        return Some(Standing::Problem {
            at: problem.path.clone(),
            side: problem.side,
            why: problem.why,
        });
    }
    let changes = |plan: &Plan| plan.changes.iter().any(|change| is_about(&change.path));
    let mut plans = outcome.plans().into_iter();
    let pending = plans.find(|(_, plan)| changes(plan));
    pending.map(|(side, _)| Standing::Pending(side))
}

fn below(outcome: &Outcome, path: &RelPath) -> Option<Standing> {
    let is_about = |at: &&RelPath| at.is_at_or_below(path);
    let count = |paths: &mut dyn Iterator<Item = &RelPath>| paths.filter(is_about).count();
    let conflicts = count(&mut outcome.conflicts.iter().map(|found| &found.path));
    let problems = count(&mut outcome.problems.iter().map(|found| &found.path));
    let plans = outcome.plans().into_iter();
    let changes = plans.flat_map(|(_, plan)| &plan.changes);
    let pending = count(&mut changes.map(|change| &change.path));
    (conflicts + problems + pending > 0).then_some(Standing::Partly {
        conflicts,
        problems,
        pending,
    })
}
