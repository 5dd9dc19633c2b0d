//! How each context stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{ContextStanding, ContextStatus, EndStatus};
use crate::inventory::{Found, is_special_name};
use crate::mirror::{Mirror, Side, words};

/// Damaged entries of a side that are told one by one: a container can make thousands.
const ODD_SHOWN: usize = 100;

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
    pub(super) fn contexts(&self) -> Vec<ContextStatus> {
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
                    reason: reason.or_else(|| self.open_key(name)),
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

    /// That others can read a key, which its copy keeps to its owner.
    fn open_key(&self, name: &str) -> Option<String> {
        let is_open = |side: &Side| self.find(*side, name).is_some_and(|it| it.has_open_key);
        let side = Side::BOTH.into_iter().find(is_open)?;
        let folder = self.root(side).config.join("contexts/tls");
        let folder = folder.join(crate::store::context_id(name));
        Some(format!(
            "Other users of this machine can read the key of `{name}` on {}. Close it: `chmod -R go= {}`",
            side.words(),
            folder.display()
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
}
