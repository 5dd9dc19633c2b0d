//! How a link stands by what its cycles came to, and how that is said; pure.

use jiff::Timestamp;
use mizzen_sync_core::{Edit, Node};
use serde::{Deserialize, Serialize};

use super::Progress;
use crate::link::{Cycle, CycleError};

/// How a link stands; where several fit, the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Both sides are looked at for the first time.
    Starting,
    /// Both sides hold the same.
    InStep,
    /// Changes are being carried, or have just been made.
    Syncing,
    /// Something cannot be carried.
    Problems,
    /// Both sides changed the same in ways that do not go together.
    Conflicts,
    /// A person has to agree first.
    Halted,
    /// It does not work; tried again by itself.
    Failed,
    /// A person stopped it for now.
    Paused,
    /// One of the sides is out of reach.
    Offline,
}

/// How a link stands, and what its cycles left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// In a word.
    pub state: State,
    /// Whether a person stopped it for now, however it stands beside that.
    #[serde(default)]
    pub paused: bool,
    /// Why it does not go on.
    pub trouble: Option<Trouble>,
    /// Places that changed while they were read or carried and are looked at again.
    pub pending: u32,
    /// One of these.
    #[serde(default)]
    pub held: Option<String>,
    /// Places that both sides changed in ways that do not go together.
    pub conflicts: u32,
    /// Places that cannot be carried.
    pub problems: u32,
    /// Entries that are kept back because they hold a key or a token.
    pub withheld: u32,
    /// Places whose version in the container is nowhere else, although no rule of a person's keeps it there.
    #[serde(default)]
    pub only_there: u32,
    /// How often the container has brought what tools run or heed without asking, since both sides were first joined.
    #[serde(default)]
    pub tripped: u32,
    /// The last one of these.
    #[serde(default)]
    pub tripwire: Option<String>,
    /// Why everything is looked at from time to time although changes are told, in words.
    pub polling: Option<String>,
    /// The last cycle that changed something.
    pub last_cycle: Option<Carried>,
    /// How far the cycle under way has come, when it takes its time.
    #[serde(default)]
    pub progress: Option<Progress>,
}

/// Why a link does not go on, in sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Why.
    pub reason: String,
    /// What to do.
    pub hint: String,
    /// It goes on when a person agrees, and not before.
    pub needs_consent: bool,
}

/// What a cycle did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// When it ended.
    pub at: Timestamp,
    /// Entries that came to the host's folder, went from it or changed in it.
    pub to_host: u32,
    /// The same of the container's.
    pub to_container: u32,
    /// Entries that were taken away on either side; they are in the trash.
    pub deleted: u32,
    /// Texts that both sides had changed and that now hold both changes.
    pub merged: u32,
}

impl Stand {
    /// Of which nothing is known but how it stands.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            paused: false,
            trouble: None,
            pending: 0,
            held: None,
            conflicts: 0,
            problems: 0,
            withheld: 0,
            only_there: 0,
            tripped: 0,
            tripwire: None,
            polling: None,
            last_cycle: None,
            progress: None,
        }
    }

    /// How it stands after a cycle; `agree` is how a person types that they agree to what has stopped it.
    #[must_use]
    pub fn after(&self, cycle: &Result<Cycle, CycleError>, agree: &str, at: Timestamp) -> Self {
        match cycle {
            Ok(cycle) => self.after_well(cycle, at),
            Err(error) => self.failed(Trouble::of(error, agree)),
        }
    }

    /// How it stands when it cannot go on.
    #[must_use]
    pub fn failed(&self, trouble: Trouble) -> Self {
        let state = match trouble.needs_consent {
            true => State::Halted,
            false => State::Failed,
        };
        Self {
            state,
            trouble: Some(trouble),
            progress: None,
            ..self.clone()
        }
    }

    /// How it stands while a cycle carries.
    #[must_use]
    pub fn carrying(&self, progress: Progress) -> Self {
        Self {
            progress: Some(progress),
            ..self.clone()
        }
    }

    /// How it stands when both sides are joined anew.
    #[must_use]
    pub fn begun(&self) -> Self {
        Self {
            state: State::Starting,
            trouble: None,
            withheld: 0,
            only_there: 0,
            progress: None,
            ..self.clone()
        }
    }

    /// How it stands when a person wants that nothing is carried.
    #[must_use]
    pub fn paused(&self) -> Self {
        let waits = matches!(
            self.state,
            State::Starting | State::InStep | State::Syncing | State::Problems
        );
        let state = if waits { State::Paused } else { self.state };
        Self {
            state,
            paused: true,
            ..self.clone()
        }
    }

    fn after_well(&self, cycle: &Cycle, at: Timestamp) -> Self {
        // A cycle that looked at a few places names what is kept back there, and not the rest.
        let known = |before: u32, now: usize| match cycle.is_whole {
            true => small(now),
            false => before.max(small(now)),
        };
        let polling = [&cycle.polling.host, &cycle.polling.container];
        let (held, stuck) = (cycle.held().count(), stuck(cycle));
        let last = cycle.tripwires.last().map(ToString::to_string);
        let stand = Self {
            pending: small(held),
            held: cycle.held().next().map(ToString::to_string),
            conflicts: small(cycle.conflicts.len()),
            problems: small(stuck),
            withheld: known(self.withheld, cycle.withheld.len()),
            only_there: known(self.only_there, cycle.only_there()),
            tripped: self.tripped.saturating_add(small(cycle.tripwires.len())),
            tripwire: last.or_else(|| self.tripwire.clone()),
            polling: polling.into_iter().flatten().next().cloned(),
            last_cycle: Carried::of(cycle, at).or_else(|| self.last_cycle.clone()),
            ..Self::new(State::InStep)
        };
        let state = match &stand {
            Self { conflicts: 1.., .. } => State::Conflicts,
            Self { problems: 1.., .. } => State::Problems,
            Self { pending: 1.., .. } => State::Syncing,
            _ => State::InStep,
        };
        Self { state, ..stand }
    }

    /// What the container alone has, in words; none when the host has all that is to be carried.
    #[must_use]
    pub fn left_there(&self) -> Option<String> {
        match (&self.trouble, self.only_there) {
            (Some(trouble), _) => Some(trouble.reason.clone()),
            (None, 0) => None,
            (None, 1) => {
                Some("One place is there in a version that the folder does not have.".to_owned())
            }
            (None, many) => Some(format!(
                "{many} places are there in versions that the folder does not have."
            )),
        }
    }

    /// What looking at everything came to, in a sentence.
    #[must_use]
    pub fn said(&self, carried: Option<(u32, u32)>) -> String {
        let mut parts = Vec::new();
        if let Some((to_host, to_container)) = carried {
            let sides = [(to_container, "container"), (to_host, "folder")];
            let came = sides.into_iter().filter(|(entries, _)| *entries > 0);
            parts.extend(came.map(|(entries, side)| format!("{entries} changed in the {side}")));
        }
        let left = [
            (self.conflicts, "in conflict"),
            (self.problems, "cannot be carried"),
            (self.withheld, "kept back as secrets"),
            (self.pending, "changed meanwhile"),
        ];
        let left = left.into_iter().filter(|(count, _)| *count > 0);
        parts.extend(left.map(|(count, what)| format!("{count} {what}")));
        let stands = match self.state {
            State::Conflicts | State::Problems | State::Syncing => "Not all is in step",
            _ => "In step",
        };
        match parts.is_empty() {
            true => format!("{stands}."),
            false => format!("{stands}: {}.", parts.join(", ")),
        }
    }
}

impl Trouble {
    /// It does not work for this reason, which is no sentence yet.
    #[must_use]
    pub fn new(why: &str, hint: &str) -> Self {
        Self {
            reason: format!("Sync does not work: {}.", why.trim_end_matches('.')),
            hint: hint.to_owned(),
            needs_consent: false,
        }
    }

    /// Why a cycle did not come to its end, and what to do; `agree` is how a person types that they agree.
    #[must_use]
    pub fn of(error: &CycleError, agree: &str) -> Self {
        match error {
            CycleError::Halted(halt) => Self {
                reason: format!("Sync has stopped: {halt}."),
                hint: halt.hint(agree),
                needs_consent: true,
            },
            CycleError::Rules(_) => Self::new(
                &error.to_string(),
                "Mend the file that is named; sync goes on by itself.",
            ),
            CycleError::Look(..) | CycleError::Apply(..) | CycleError::Base(_) => Self::new(
                &error.to_string(),
                "Mend the cause; sync goes on by itself, and nothing is lost.",
            ),
        }
    }
}

impl Carried {
    /// What a cycle did; none when it did nothing.
    fn of(cycle: &Cycle, at: Timestamp) -> Option<Self> {
        let (to_host, to_container) = cycle.carried();
        let carried = Self {
            at,
            to_host,
            to_container,
            deleted: u32::try_from(cycle.deleted).unwrap_or(u32::MAX),
            merged: small(cycle.merged.len()),
        };
        (to_host > 0 || to_container > 0).then_some(carried)
    }
}

impl Cycle {
    /// Entries that it changed in the host's folder, and in the container's.
    #[must_use]
    pub fn carried(&self) -> (u32, u32) {
        let Self { applied, .. } = self;
        (
            entries(&applied.host.done),
            entries(&applied.container.done),
        )
    }
}

/// Places that cannot be carried, or where a side said no: another cycle alone gets no further.
fn stuck(cycle: &Cycle) -> usize {
    cycle.problems.len() + cycle.failures().count() - cycle.held().count()
}

fn entries(done: &[Edit]) -> u32 {
    let count = |edit: &Edit| edit.entry.as_ref().map_or(1, Node::count);
    let sum: u64 = done.iter().map(count).sum();
    u32::try_from(sum).unwrap_or(u32::MAX)
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
