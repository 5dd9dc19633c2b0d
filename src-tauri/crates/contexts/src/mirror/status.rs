//! How the mirror stands, in words. Descriptions and names of damaged files come from the stores as they are: whoever
//! shows them has to sanitise them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::history::{Action, Change};
use super::plan::{Held, HeldKind};
use super::trash::Trashed;
use super::{Config, Mirror, Side, words};
use crate::inventory::{Found, Health, is_special_name};
use crate::payload::Terms;

/// Damaged entries of a side that are told one by one: a container can make thousands.
const ODD_SHOWN: usize = 100;

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

impl EndStatus {
    fn of(found: &Found) -> Self {
        let terms = &found.terms;
        let judged = words::judge(&terms.host);
        Self {
            description: terms.description.clone(),
            endpoint: words::address(&terms.host),
            endpoint_problem: judged.err(),
            // Those that each side has for itself mean something just there.
            host_only: judged == Ok(true) && !is_special_name(&terms.name),
            skip_tls_verify: terms.skip_tls_verify,
            tls: found.payload.tls_files(),
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

    fn hold(&self, held: &Held) -> Hold {
        let (side, count) = (held.from.words(), held.names.len());
        let other = held.from.other().words();
        let name = held.names.first().map_or("", String::as_str);
        let decide = |yes: &str, no: &str| {
            let id = &held.id;
            format!(
                "{yes}: mizzen contexts hold approve {id}. {no}: mizzen contexts hold drop {id}"
            )
        };
        let (message, hint) = match held.kind {
            HeldKind::Deleted => (
                format!("`{name}` was deleted on {side}."),
                decide("Delete it on the host as well", "Bring it back"),
            ),
            HeldKind::Changed => (
                words::sentence(
                    Action::Changed,
                    name,
                    held.from,
                    self.find(held.from.other(), name),
                    self.find(held.from, name),
                ),
                decide("Take the change over", "Take it back"),
            ),
            HeldKind::Emptied => (
                format!("All {count} contexts are gone from {side}."),
                decide(
                    &format!("Delete them on {other} as well"),
                    "Bring them back",
                ),
            ),
            HeldKind::StoreGone => (
                format!("The store of {side} is gone, with {count} contexts."),
                decide(
                    &format!("Delete them on {other} as well"),
                    "Bring them back",
                ),
            ),
            HeldKind::NoConfig => (
                format!(
                    "`{name}` was deleted on {side}, and may be the one selected on {other}: its config.json cannot be read."
                ),
                "Mend that config.json.".to_owned(),
            ),
            HeldKind::Elsewhere => (
                format!(
                    "{} The store of {other} is on another disk, and is written with your consent only.",
                    self.change_of(name, held.from)
                ),
                decide(&format!("Write it to {other} as well"), "Take it back"),
            ),
        };
        Hold {
            id: held.id.clone(),
            contexts: held.names.clone(),
            from: held.from,
            message,
            hint,
        }
    }

    /// What a side did to a context, in a sentence.
    fn change_of(&self, name: &str, from: Side) -> String {
        let before = self.find(from.other(), name);
        let after = self.find(from, name);
        let action = match (before, after) {
            (None, _) => Action::Created,
            (Some(_), Some(_)) => Action::Changed,
            (Some(_), None) => Action::Deleted,
        };
        words::sentence(action, name, from, before, after)
    }

    fn contexts(&self) -> Vec<ContextStatus> {
        let mut all: BTreeMap<String, ContextStatus> = BTreeMap::new();
        let held: BTreeSet<&String> = self.seen.held.iter().flat_map(|held| &held.names).collect();
        let failed: BTreeMap<_, _> = self
            .seen
            .failed
            .iter()
            .map(|(name, why)| (name, why))
            .collect();
        let names = self.seen.sides.iter().flat_map(|side| side.contexts.keys());
        let special = self.seen.sides.iter().flat_map(|side| &side.special);
        let special = special.map(|found| &found.terms.name);
        for name in names.chain(special).chain(held.iter().copied()) {
            let ends = Side::BOTH.map(|side| self.find(side, name).map(EndStatus::of));
            let prints = Side::BOTH.map(|side| self.find(side, name).map(|found| found.print));
            let (standing, reason) = if is_special_name(name) {
                (ContextStanding::Special, None)
            } else if self.wishes.no_sync.contains(name) {
                (ContextStanding::NotSynced, self.copy_left(name))
            } else if held.contains(name) {
                (ContextStanding::Held, None)
            } else if let Some(why) = failed.get(name) {
                (ContextStanding::Pending, Some((*why).clone()))
            } else if prints[0] == prints[1] {
                (ContextStanding::InStep, None)
            } else if self.seen.waiting.contains(name) {
                let why = "TLS files are gone: the rest of the change is waited for";
                (ContextStanding::Pending, Some(why.to_owned()))
            } else {
                (ContextStanding::Pending, None)
            };
            all.insert(
                name.clone(),
                ContextStatus {
                    name: name.clone(),
                    standing,
                    reason,
                    ends,
                },
            );
        }
        for side in Side::BOTH {
            self.add_odd(side, &mut all);
        }
        all.into_values().collect()
    }

    /// A context that is left alone was mirrored before, it seems: containers keep what they have until it is taken away.
    fn copy_left(&self, name: &str) -> Option<String> {
        let copy = self.find(Side::Container, name)?;
        self.find(Side::Host, name)?;
        let keys = match copy.payload.tls.is_empty() {
            true => "",
            false => " with its TLS keys",
        };
        let config = self.root(Side::Container).config.display();
        Some(format!(
            "Containers still have `{name}`{keys}. Take it from them: `docker --config {config} context rm {name}`"
        ))
    }

    /// What is damaged on one side: its twin on the other is told with it.
    fn add_odd(&self, side: Side, all: &mut BTreeMap<String, ContextStatus>) {
        let names = self.archive.agreed().into_keys().chain(all.keys().cloned());
        let by_folder: BTreeMap<String, String> = names
            .map(|name| (crate::store::context_id(&name), name))
            .collect();
        let odd = self.seen.sides[side as usize].odd.values();
        for odd in odd.take(ODD_SHOWN) {
            let known = by_folder.get(&odd.folder).cloned();
            let (standing, name) = match odd.is_ghost {
                true => (ContextStanding::Ghost, odd.name.clone()),
                false => (ContextStanding::Quarantined, known.clone()),
            };
            let shown = name.unwrap_or_else(|| odd.folder.clone());
            let path = self
                .root(side)
                .config
                .join("contexts/meta")
                .join(&odd.folder);
            let reason = format!(
                "`{shown}` on {}: {} ({})",
                side.words(),
                odd.reason,
                path.display()
            );
            // A ghost bears the name of a context that may be all right.
            let key = match odd.is_ghost {
                true => format!("{shown} {}", odd.folder),
                false => shown.clone(),
            };
            let ends = known.as_ref().map_or([None, None], |name| {
                Side::BOTH.map(|side| self.find(side, name).map(EndStatus::of))
            });
            let ends = if odd.is_ghost { [None, None] } else { ends };
            all.insert(
                key,
                ContextStatus {
                    name: shown,
                    standing,
                    reason: Some(reason),
                    ends,
                },
            );
        }
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
