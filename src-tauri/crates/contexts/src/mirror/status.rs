//! How the mirror stands, in words. Descriptions and names of damaged files come from the stores as they are: whoever
//! shows them has to sanitise them.

mod contexts;
mod holds;

use std::path::PathBuf;

use jiff::Timestamp;

use super::history::Change;
use super::plan::{Held, HeldKind};
use super::trash::Trashed;
use super::{Config, Mirror, Side, words};
use crate::inventory::{Found, Health};
use crate::payload::Terms;

/// How the mirror stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no container side, and never was.
    Off,
    /// Both sides hold the same.
    InStep,
    /// Something has not been carried over yet.
    Pending,
    /// Something waits for a person.
    Held,
    /// A file or folder cannot be used.
    Damaged,
    /// Nothing is carried over.
    Halted,
}

/// How the mirror stands, and every context of both sides.
#[derive(Clone, Debug)]
pub struct Status {
    /// How it stands.
    pub standing: Standing,
    /// Why, when not in step.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Host, then container.
    pub sides: [SideStatus; 2],
    /// By name.
    pub contexts: Vec<ContextStatus>,
    /// What waits for a person.
    pub holds: Vec<Hold>,
    /// The last change that was carried over, and whether it can be undone.
    pub last_change: Option<(Change, bool)>,
}

/// One side as a whole.
#[derive(Clone, Debug)]
pub struct SideStatus {
    /// Folder of its `config.json`.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// The context that it selects.
    pub current: Option<String>,
}

/// How one context stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContextStanding {
    /// The same on both sides.
    InStep,
    /// Not carried over yet.
    Pending,
    /// Waits for a person.
    Held,
    /// Usable by nobody.
    Quarantined,
    /// In a folder that is another name's.
    Ghost,
    /// Left alone, as the person wants it.
    NotSynced,
    /// Each side has its own.
    Special,
}

/// One context.
#[derive(Clone, Debug)]
pub struct ContextStatus {
    /// Its name, or its folder's.
    pub name: String,
    /// How it stands.
    pub standing: ContextStanding,
    /// Why.
    pub reason: Option<String>,
    /// Host, then container.
    pub ends: [Option<EndStatus>; 2],
}

/// A context on one side.
#[derive(Clone, Debug)]
pub struct EndStatus {
    /// As its creator wrote it.
    pub description: String,
    /// Where it leads, fit to be shown.
    pub endpoint: String,
    /// Why nobody can use that.
    pub endpoint_problem: Option<&'static str>,
    /// Means something on the host only.
    pub host_only: bool,
    /// Whoever answers is believed.
    pub skip_tls_verify: bool,
    /// Its TLS files.
    pub tls: Vec<String>,
}

/// A change that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Names it.
    pub id: String,
    /// Contexts concerned.
    pub contexts: Vec<String>,
    /// The side that was changed.
    pub from: Side,
    /// What was changed.
    pub message: String,
    /// What can be done.
    pub hint: String,
}

/// A version in the trash.
#[derive(Clone, Debug)]
pub struct TrashEntry {
    /// Names it.
    pub id: String,
    /// Which context.
    pub name: String,
    /// The side that it was on.
    pub side: Side,
    /// When it came here.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Where it leads, fit to be shown.
    pub endpoint: String,
    /// Its TLS files.
    pub tls: Vec<String>,
}

impl TrashEntry {
    pub(super) fn of(id: String, trashed: Trashed) -> Self {
        let host = Terms::read(&trashed.payload.meta.0).map(|terms| terms.host);
        Self {
            id,
            tls: trashed.payload.tls_files(),
            name: trashed.payload.name,
            side: trashed.side,
            at: trashed.at,
            reason: trashed.reason,
            endpoint: words::address(&host.unwrap_or_default()),
        }
    }
}

impl Mirror {
    /// How things stood at the last look.
    #[must_use]
    pub fn status(&self) -> Status {
        let contexts = self.contexts();
        let holds: Vec<Hold> = self.seen.held.iter().map(|held| self.hold(held)).collect();
        let sides = Side::BOTH.map(|side| self.side(side));
        let (standing, reason, hint) = self.standing(&contexts, &holds);
        let last = self.history().next();
        Status {
            standing,
            reason,
            hint,
            sides,
            contexts,
            holds,
            last_change: last.map(|(change, undoable)| (change.clone(), undoable)),
        }
    }

    fn side(&self, side: Side) -> SideStatus {
        let at = side as usize;
        let config = self.seen.configs[at].as_ref();
        let problem = match (&self.seen.sides[at].health, config) {
            (Health::Unusable(why), _) | (_, Some(Config::Unusable(why))) => Some(why.clone()),
            // A store that never held anything is not made before it is needed.
            (Health::Missing(path), _) if !self.archive.is_empty() => {
                Some(format!("{} is not there", path.display()))
            }
            (Health::Whole, _) if self.seen.sides[at].is_elsewhere => Some(format!(
                "{} is on another disk: nothing is written there without your consent",
                self.root(side).config.join("contexts").display()
            )),
            _ => None,
        };
        SideStatus {
            path: self.root(side).config.clone(),
            problem,
            current: config.and_then(Config::current).map(str::to_owned),
        }
    }

    fn standing(
        &self,
        contexts: &[ContextStatus],
        holds: &[Hold],
    ) -> (Standing, Option<String>, Option<String>) {
        let told = |standing, reason: &str, hint: &str| {
            (standing, Some(reason.to_owned()), Some(hint.to_owned()))
        };
        if self.seen.no_container {
            let path = self.root(Side::Container).config.display();
            return match self.archive.is_empty() {
                true => told(
                    Standing::Off,
                    "Docker contexts are not mirrored: it was never set up.",
                    "Set it up with `mizzen contexts setup`.",
                ),
                false => told(
                    Standing::Halted,
                    &format!("{path} is gone. The host's contexts stay as they are."),
                    "Make and fill it again with `mizzen contexts setup`.",
                ),
            };
        }
        let unusable = self.seen.sides.iter().find_map(|side| match &side.health {
            Health::Unusable(why) => Some(why),
            _ => None,
        });
        if let Some(why) = unusable {
            let reason = format!("A store of Docker contexts cannot be used: {why}.");
            let hint = "Mend or remove what stands there; nothing is carried over until then.";
            return told(Standing::Halted, &reason, hint);
        }
        let store_gone = |held: &&Held| held.kind == HeldKind::StoreGone;
        if let Some(held) = self.seen.held.iter().find(store_gone) {
            let hold = self.hold(held);
            return told(Standing::Halted, &hold.message, &hold.hint);
        }
        if let Some(hold) = holds.first() {
            let reason = match holds.len() {
                1 => hold.message.clone(),
                many => format!("{many} changes of Docker contexts wait for you."),
            };
            return told(
                Standing::Held,
                &reason,
                "See and decide them: mizzen contexts hold",
            );
        }
        if let Some((name, why)) = self.seen.failed.first() {
            let reason = format!("`{name}` could not be carried over: {why}.");
            let hint =
                "It is tried again; check the folder's permissions and the space on its disk.";
            return told(Standing::Damaged, &reason, hint);
        }
        let damaged = |context: &&ContextStatus| {
            matches!(
                context.standing,
                ContextStanding::Quarantined | ContextStanding::Ghost
            )
        };
        if let Some(context) = contexts.iter().find(damaged) {
            let reason = context.reason.clone().unwrap_or_default();
            let hint =
                "Mend or remove that folder: a damaged one can make `docker context ls` fail.";
            return told(Standing::Damaged, &reason, hint);
        }
        let pending = |context: &ContextStatus| context.standing == ContextStanding::Pending;
        if contexts.iter().any(pending) {
            return told(Standing::Pending, "A change is being looked at.", "");
        }
        (Standing::InStep, None, None)
    }

    fn find(&self, side: Side, name: &str) -> Option<&Found> {
        let inventory = &self.seen.sides[side as usize];
        let special = inventory
            .special
            .iter()
            .find(|found| found.terms.name == name);
        inventory
            .contexts
            .get(name)
            .or(special)
            .map(|found| &**found)
    }
}
