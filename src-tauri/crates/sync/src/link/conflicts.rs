//! What both sides changed, and how a person decides it.

use std::fmt;
use std::str::FromStr;

use mizzen_sync_core::{Change, Conflict, Name, Node, Outcome, Plan, RelPath, Side, diff};
use serde::{Deserialize, Serialize};

use super::journal::Audit;
use super::merge::{self, Merged};
use super::progress::Carrying;
use super::{AskError, Both, Cycle, CycleError, Link};
use crate::endpoint::Endpoint;
use crate::scan::Dirty;
use crate::trash::CycleId;

/// Longest name that the file systems in use can hold.
const NAME_MAX: usize = 255;

/// Which version of a conflict stays. The other goes to the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The host's.
    Host,
    /// The container's.
    Container,
    /// The host's, and the container's beside it under a name of its own.
    Both,
}

/// A text names no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of host, container and both")]
pub struct UnknownKeep(pub String);

/// What came of a decision.
#[derive(Debug)]
pub struct Resolved {
    /// What was done. A place that failed had changed meanwhile, or a side says no: it is a conflict still.
    pub cycle: Cycle,
    /// Where the container's version is kept, when both are.
    pub beside: Option<RelPath>,
}

impl Keep {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Host, Self::Container, Self::Both];

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Container => "container",
            Self::Both => "both",
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Keep {
    type Err = UnknownKeep;

    fn from_str(name: &str) -> Result<Self, UnknownKeep> {
        let found = Self::ALL.into_iter().find(|keep| keep.name() == name);
        found.ok_or_else(|| UnknownKeep(name.to_owned()))
    }
}

impl Link {
    /// Looks at what is dirty, and tells what both sides changed in ways that do not go together. Nothing is changed.
    ///
    /// # Errors
    /// A side cannot be looked at.
    pub fn conflicts(&mut self, dirty: &Both<Dirty>) -> Result<Vec<Conflict>, CycleError> {
        let mut outcome = self.plan(dirty)?;
        // Those that go together are none.
        let _ = Merged::of(&mut outcome, &self.texts, &self.sides);
        outcome
            .conflicts
            .sort_by(|one, two| one.path.cmp(&two.path));
        Ok(outcome.conflicts)
    }

    /// The lines by which the container's version of a conflict differs from the host's; none when one of them is no
    /// text, is large, or is not what it was any more.
    #[must_use]
    pub fn diff(&self, conflict: &Conflict) -> Option<String> {
        let text = |side: &dyn Endpoint, node: &Option<Node>| {
            let file = node.as_ref()?.as_file()?;
            merge::text(&*side.contents(), &conflict.path, file)
        };
        let host = text(&*self.sides.host, &conflict.host)?;
        let container = text(&*self.sides.container, &conflict.container)?;
        diff(&host, &container)
    }

    /// Decides a conflict: both sides hold the version that is kept. Nothing is done at a place that changes while it is
    /// done, and what goes is in the trash.
    ///
    /// # Errors
    /// There is no conflict, or a side cannot be looked at or takes no changes.
    pub fn resolve(&mut self, path: &RelPath, keep: Keep) -> Result<Resolved, AskError> {
        let conflicts = self.conflicts(&Both::everything())?;
        let conflict = conflicts.into_iter().find(|found| found.path == *path);
        let conflict = conflict.ok_or_else(|| AskError::NoConflict(path.clone()))?;
        let mut cycle = Cycle::new(self.begin());
        let trees = self.trees();
        let is_taken = |path: &RelPath| trees.iter().flatten().any(|tree| tree.get(path).is_some());
        let beside = (keep == Keep::Both).then(|| beside(path, cycle.id, is_taken));
        let decided = decided(&conflict, keep, beside.as_ref())?;
        self.note_contested(cycle.id, &decided);
        let carried_out = self.carry_out_decision(&decided, &mut cycle);
        self.remember(&[], |path| Some(path) == beside.as_ref(), &mut cycle)?;
        self.audit(&Audit::resolve(&cycle, path, keep, beside.as_ref()));
        carried_out?;
        Ok(Resolved { cycle, beside })
    }

    /// The container first: what it keeps beside, the host takes from there.
    fn carry_out_decision(&mut self, decided: &Outcome, cycle: &mut Cycle) -> Result<(), AskError> {
        let Both { host, container } = &mut self.sides;
        let none = Merged::default();
        let carrying = Carrying::new(None, decided);
        let plan = &decided.container;
        let done = none.carry(cycle.id, plan, &**host, &mut **container, &carrying);
        cycle.took(Side::Container, done)?;
        let plan = &decided.host;
        let done = none.carry(cycle.id, plan, &**container, &mut **host, &carrying);
        Ok(cycle.took(Side::Host, done)?)
    }
}

/// What is done to each side.
fn decided(conflict: &Conflict, keep: Keep, beside: Option<&RelPath>) -> Result<Outcome, AskError> {
    let Conflict {
        path,
        host,
        container,
        ..
    } = conflict;
    let (loser, old, new) = match keep {
        Keep::Host | Keep::Both => (Side::Container, container, host),
        Keep::Container => (Side::Host, host, container),
    };
    if old.as_ref().is_some_and(Node::has_unsyncable) {
        return Err(AskError::Unsyncable(path.clone(), loser));
    }
    let mut plans = Both::<Plan>::default();
    if let (Some(beside), Some(kept)) = (beside, container) {
        for side in [Side::Host, Side::Container] {
            plans.of(side).changes.push(Change {
                path: beside.clone(),
                old: None,
                new: Some(kept.clone()),
            });
        }
    }
    plans.of(loser).changes.push(Change {
        path: path.clone(),
        old: old.clone(),
        new: new.as_ref().and_then(Node::syncable),
    });
    let Both { host, container } = plans;
    Ok(Outcome {
        host,
        container,
        ..Outcome::default()
    })
}

/// A name for the container's version that says what it is: `name.conflict-container-20260102T030405Z.ext`.
fn beside(path: &RelPath, id: CycleId, is_taken: impl Fn(&RelPath) -> bool) -> RelPath {
    let parent = path.parent().unwrap_or_default();
    let name = path.components().last().unwrap_or_default();
    // A name that begins with its only dot has no extension.
    let dot = name
        .iter()
        .rposition(|byte| *byte == b'.')
        .filter(|at| *at > 0);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let time = id.to_string();
    let time = time.split('.').next().unwrap_or_default();
    let mut names = (1_u32..).map(|number| {
        let number = match number {
            1 => String::new(),
            _ => format!("-{number}"),
        };
        let mark = format!(".conflict-container-{time}Z{number}");
        let room = NAME_MAX.saturating_sub(mark.len() + extension.len());
        match Name::new([cut(stem, room), mark.as_bytes(), extension].concat()) {
            Ok(name) => parent.join(&name),
            // So long is no extension that anybody goes by.
            Err(_) => {
                let room = NAME_MAX - mark.len();
                let name = Name::new([cut(name, room), mark.as_bytes()].concat());
                parent.join(&name.expect("BUG: it is cut to fit"))
            }
        }
    });
    let free = names.find(|path| !is_taken(path));
    free.expect("BUG: there is no end of numbers")
}

/// So much of a name as fits, without half a character.
fn cut(name: &[u8], room: usize) -> &[u8] {
    let mut end = name.len().min(room);
    while end > 0 && end < name.len() && name[end] & 0b1100_0000 == 0b1000_0000 {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &[u8], taken: &[&str]) -> String {
        let id = "20260102T030405.000000006Z".parse().unwrap();
        let path = RelPath::new(path).unwrap();
        let is_taken = |path: &RelPath| taken.contains(&&*path.to_string());
        beside(&path, id, is_taken).to_string()
    }

    #[test]
    fn a_name_says_what_it_is_and_keeps_its_extension() {
        for (path, expected) in [
            ("a", "a.conflict-container-20260102T030405Z"),
            ("d/a.txt", "d/a.conflict-container-20260102T030405Z.txt"),
            ("a.tar.gz", "a.tar.conflict-container-20260102T030405Z.gz"),
            ("d/.env", "d/.env.conflict-container-20260102T030405Z"),
        ] {
            assert_eq!(named(path.as_bytes(), &[]), expected);
        }
        let first = "a.conflict-container-20260102T030405Z.c";
        assert_eq!(
            named(b"a.c", &[first]),
            "a.conflict-container-20260102T030405Z-2.c"
        );
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = format!("{}.txt", "ä".repeat(125));
        let name = named(long.as_bytes(), &[]);
        assert!(name.len() <= NAME_MAX, "{name}");
        assert!(name.starts_with("ää") && name.ends_with("Z.txt"), "{name}");
        assert!(!name.contains('\u{fffd}'), "{name}");
        let long = format!("a.{}", "b".repeat(250));
        let name = named(long.as_bytes(), &[]);
        assert!(
            name.ends_with("b.conflict-container-20260102T030405Z"),
            "{name}"
        );
    }
}
