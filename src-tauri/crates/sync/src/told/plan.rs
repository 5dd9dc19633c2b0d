//! What a cycle would do.

use mizzen_sync_core::{Outcome, RelPath, Step as Doing};
use serde::{Deserialize, Serialize};

use super::Side;

/// What a cycle would do now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The first steps of it, and what it would leave to a person.
    pub steps: Vec<Step>,
    /// How many more there are.
    pub more: u64,
    /// Why it would stop before all of them until a person agrees.
    pub halt: Option<String>,
}

/// What it would do at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `create`, `replace`, `remove`, `merge`, `conflict` or `problem`.
    pub what: String,
    /// The place.
    pub path: String,
    /// On which side; none where it is both.
    pub side: Option<Side>,
    /// Why a person is asked, or when it is done.
    pub why: Option<String>,
}

impl Plan {
    /// What was decided, and what would stop it; of the steps, so many are told of.
    #[must_use]
    pub fn new(outcome: &Outcome, halt: Option<String>, most: usize) -> Self {
        let mut plan = Self {
            halt,
            ..Self::default()
        };
        let mut add = |what: &str, path: &RelPath, side: Option<Side>, why: Option<String>| {
            if plan.steps.len() == most {
                plan.more += 1;
                return;
            }
            let (what, path) = (what.to_owned(), path.to_string());
            plan.steps.push(Step {
                what,
                path,
                side,
                why,
            });
        };
        for (side, planned) in outcome.plans() {
            for change in &planned.changes {
                change.steps(|path, step| {
                    let what = match step {
                        Doing::Create(_) => "create",
                        Doing::Replace(..) => "replace",
                        Doing::Remove(_) => "remove",
                    };
                    add(what, path, Some(side.into()), None);
                });
            }
        }
        for merge in &outcome.merges {
            let when = "when the changes go together".to_owned();
            add("merge", &merge.path, None, Some(when));
        }
        for conflict in &outcome.conflicts {
            let why = "changed on both sides".to_owned();
            add("conflict", &conflict.path, None, Some(why));
        }
        for problem in &outcome.problems {
            let (side, why) = (problem.side.into(), problem.why.to_string());
            add("problem", &problem.path, Some(side), Some(why));
        }
        plan
    }

    /// Whether both sides hold the same, and nobody is asked for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.more == 0 && self.halt.is_none()
    }
}
