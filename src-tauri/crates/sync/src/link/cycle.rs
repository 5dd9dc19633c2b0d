//! What a cycle came to.

use std::time::Duration;

use mizzen_fsx::PathError;
use mizzen_sync_core::{
    Conflict, FOLDER_NAMES, FolderNames, Halt, Problem, RelPath, Side, Unsyncable,
};

use super::Both;
use crate::apply::{Applied, ApplyError, Failure, Why};
use crate::endpoint::EndpointError;
use crate::rule_source::RulesError;
use crate::trash::CycleId;

/// What a cycle came to.
#[derive(Debug)]
pub struct Cycle {
    /// How it is called, in the trash of both sides as well.
    pub id: CycleId,
    /// How long it took to look at both sides, and how long it took as a whole.
    pub took: Took,
    /// What was done to each side.
    pub applied: Both<Applied>,
    /// Files that were read on each side.
    pub hashed: Both<u64>,
    /// Entries that were taken away on either side.
    pub deleted: u64,
    /// Texts that both sides had changed and that now hold both changes.
    pub merged: Vec<RelPath>,
    /// What both sides changed in ways that do not go together.
    pub conflicts: Vec<Conflict>,
    /// What cannot be carried.
    pub problems: Vec<Problem>,
    /// Entries that are kept back for their secrets' sake, by their names.
    pub withheld: Vec<RelPath>,
    /// How many of those lie on the container's side.
    pub withheld_there: usize,
    /// Whether all of both sides was looked at, so that it names all that is left.
    pub is_whole: bool,
    /// What came from a side that is not trusted and is run or heeded by tools without asking.
    pub tripwires: Vec<RelPath>,
    /// Why a side is looked at from time to time although it is watched.
    pub polling: Both<Option<String>>,
}

/// How long a cycle took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// To look at both sides and to decide.
    pub looking: Duration,
    /// As a whole.
    pub whole: Duration,
}

/// A cycle did not come to its end. What it had done by then stays done and is remembered.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.told(FOLDER_NAMES))]
pub enum CycleError {
    /// A person has to say how to go on.
    Halted(#[from] Halt),
    /// A side cannot be looked at.
    Look(Side, EndpointError),
    /// A side takes no more changes.
    Apply(Side, ApplyError),
    /// Rules cannot be read: without them, what they keep back would be carried.
    Rules(#[from] RulesError),
    /// What both agree on cannot be kept.
    Base(#[from] PathError),
}

impl CycleError {
    /// Why, by what people call the folders; no sentence yet.
    #[must_use]
    pub fn told(&self, names: FolderNames) -> String {
        match self {
            Self::Halted(halt) => halt.told(names),
            Self::Look(side, why) => format!("{} cannot be looked at: {why}", side.of(names)),
            Self::Apply(side, why) => {
                format!("changes cannot be carried out in {}: {why}", side.of(names))
            }
            Self::Rules(why) => format!("the rules cannot be read: {why}"),
            Self::Base(why) => format!("what both sides agree on cannot be kept: {why}"),
        }
    }
}

impl Cycle {
    pub(super) fn new(id: CycleId) -> Self {
        Self {
            id,
            took: Took::default(),
            applied: Both::default(),
            hashed: Both::default(),
            deleted: 0,
            merged: Vec::new(),
            conflicts: Vec::new(),
            problems: Vec::new(),
            withheld: Vec::new(),
            withheld_there: 0,
            is_whole: false,
            tripwires: Vec::new(),
            polling: Both::default(),
        }
    }

    /// Places that were not dealt with because they changed meanwhile, or because a side says no.
    pub fn failures(&self) -> impl Iterator<Item = (Side, &Failure)> {
        let host = self.applied.host.failed.iter();
        let container = self.applied.container.failed.iter();
        host.map(|failure| (Side::Host, failure))
            .chain(container.map(|failure| (Side::Container, failure)))
    }

    /// Notes what was done to a side; what was done before it ended counts as well.
    pub(super) fn took(
        &mut self,
        side: Side,
        done: Result<Applied, ApplyError>,
    ) -> Result<(), CycleError> {
        let (applied, ended) = match done {
            Ok(applied) => (applied, Ok(())),
            Err(mut error) => {
                let applied = std::mem::take(&mut *error.applied);
                (applied, Err(CycleError::Apply(side, error)))
            }
        };
        *self.applied.of(side) = applied;
        ended
    }

    /// Whether something changed under our hands, so that another cycle may get further.
    #[must_use]
    pub fn met_changes(&self) -> bool {
        self.held().next().is_some()
    }

    /// Places that somebody changed while they were read or carried: they wait for the next cycle.
    pub fn held(&self) -> impl Iterator<Item = &RelPath> {
        let failures = self.failures().map(|(_, failure)| failure);
        let changed = failures.filter(|it| matches!(it.why, Why::ChangedHere | Why::ChangedThere));
        let changed = changed.map(|failure| &failure.path);
        let read = self
            .problems
            .iter()
            .filter(|problem| is_being_written(problem));
        changed.chain(read.map(|problem| &problem.path))
    }

    /// Places whose version on the container's side is nowhere else, although no rule of a person's keeps it there.
    #[must_use]
    pub fn only_there(&self) -> usize {
        let problems = self.problems.iter();
        let problems = problems.filter(|problem| problem.side == Side::Container);
        // Known here: what the host's folder did not take stays there as well.
        let not_taken = self.applied.host.failed.len();
        self.conflicts.len() + problems.count() + self.withheld_there + not_taken
    }

    /// Whether both sides hold the same now, and nobody is asked for anything.
    #[must_use]
    pub fn is_in_step(&self) -> bool {
        self.conflicts.is_empty() && self.problems.is_empty() && self.failures().next().is_none()
    }
}

/// Whether a file kept changing while it was read: nothing is wrong with it.
pub(crate) fn is_being_written(problem: &Problem) -> bool {
    problem.why == Unsyncable::Unsteady
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_names_the_folders_as_people_do() {
        let silent = |side| CycleError::Look(side, EndpointError::Wire("silent".to_owned()));
        let full = CycleError::Apply(
            Side::Container,
            ApplyError {
                path: "/b/c".into(),
                source: std::io::Error::other("full"),
                applied: Box::default(),
            },
        );
        for (error, told) in [
            (
                silent(Side::Host),
                "A cannot be looked at: the other end of the wire: silent",
            ),
            (
                silent(Side::Container),
                "B cannot be looked at: the other end of the wire: silent",
            ),
            (full, "changes cannot be carried out in B: /b/c: full"),
            (Halt::RootEmptied(Side::Host).into(), "A was emptied"),
        ] {
            assert_eq!(error.told(["A", "B"]), told);
        }
        let session = silent(Side::Container).to_string();
        assert!(session.starts_with("the container's folder cannot be looked at"));
    }
}
