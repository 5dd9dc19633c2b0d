//! What a pass will do: three versions of every context in, steps and holds out. Touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use crate::payload::Print;

/// So many contexts have to be gone from a side at once before that is not believed.
const MASS: usize = 3;

/// A version of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) print: Print,
    /// All that decides on whom it reaches.
    pub(crate) reach: Print,
}

/// What both sides agreed on last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) version: Version,
    /// A pass was replacing the version of this side when it ended: that nothing is there says nothing.
    pub(crate) unsure: Option<Side>,
}

/// What one side holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) contexts: BTreeMap<String, Version>,
    /// Names that cannot be judged: quarantined, or not settled yet.
    pub(crate) blocked: BTreeSet<String>,
    /// Its `meta/` is not there.
    pub(crate) is_missing: bool,
    /// Its `config.json` may select any of them, for all that can be read of it.
    pub(crate) no_deletions: bool,
    /// Nothing is written there without consent.
    pub(crate) is_read_only: bool,
}

/// What the person wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// What containers change about whom a context reaches waits for a person.
    pub(crate) strict: bool,
    /// Names that are left alone.
    pub(crate) no_sync: BTreeSet<String>,
    /// Ids of holds that a person consented to.
    pub(crate) approved: BTreeSet<String>,
    /// Ids of holds that a person wants taken back.
    pub(crate) dropped: BTreeSet<String>,
}

impl Policy {
    /// Whether a person has decided something.
    pub(crate) fn decides(&self) -> bool {
        !self.approved.is_empty() || !self.dropped.is_empty()
    }
}

/// Why a version is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// The other side has no such context.
    Created,
    /// The other side has the version that both had agreed on.
    Changed,
    /// The other side has another version, which goes to the trash.
    Won,
    /// The other side's change, or deletion, is not wanted.
    Dropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Both sides hold the same: that is what they agree on.
    Adopt,
    /// No side has it any more, or it is left alone.
    Forget,
    /// The version of `from` goes to the other side.
    Put { from: Side, why: Why },
    /// `from` deleted it: the other side does.
    Remove { from: Side },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) act: Act,
}

/// What is kept back until a person says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) kind: HeldKind,
    pub(crate) from: Side,
    pub(crate) names: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldKind {
    /// A container deleted it, and the person is asked first.
    Deleted,
    /// A container changed whom it reaches, and the person is asked first.
    Changed,
    /// All contexts are gone at once.
    Emptied,
    /// The store itself is gone.
    StoreGone,
    /// Whether it is the selected one cannot be told: the other side's `config.json` must be mended first.
    NoConfig,
    /// The store that it would go to lies on another disk, and the person is asked first.
    Elsewhere,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) held: Vec<Held>,
}

/// What is known of both sides.
pub(crate) struct Known<'a> {
    pub(crate) agreed: &'a BTreeMap<String, Agreed>,
    pub(crate) host: &'a Look,
    pub(crate) container: &'a Look,
}

impl Known<'_> {
    pub(crate) fn look(&self, side: Side) -> &Look {
        match side {
            Side::Host => self.host,
            Side::Container => self.container,
        }
    }

    fn version(&self, side: Side, name: &str) -> Option<Version> {
        self.look(side).contexts.get(name).copied()
    }
}

/// Decides; the same input gives the same plan.
pub(crate) fn plan(known: &Known<'_>, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    let mut refill = [false; 2];
    let mut consented = [false; 2];
    for side in Side::BOTH {
        let Some(held) = brake(known, policy, side) else {
            continue;
        };
        let at = side as usize;
        if policy.approved.contains(&held.id) {
            consented[at] = true;
        } else if policy.dropped.contains(&held.id) {
            refill[at] = true;
        } else {
            let is_over = held.kind == HeldKind::StoreGone;
            plan.held.push(held);
            if is_over {
                return Plan {
                    steps: Vec::new(),
                    held: plan.held,
                };
            }
        }
    }
    let braked: BTreeMap<Side, BTreeSet<String>> = plan
        .held
        .iter()
        .map(|held| (held.from, held.names.iter().cloned().collect()))
        .collect();
    for name in names(known) {
        if Side::BOTH
            .iter()
            .any(|side| known.look(*side).blocked.contains(&name))
        {
            continue;
        }
        if policy.no_sync.contains(&name) {
            if known.agreed.contains_key(&name) {
                plan.steps.push(Step {
                    name,
                    act: Act::Forget,
                });
            }
            continue;
        }
        let Some(mut act) = decide(known, &name) else {
            continue;
        };
        if let Act::Remove { from } = act {
            if refill[from as usize] {
                act = Act::Put {
                    from: from.other(),
                    why: Why::Dropped,
                };
            } else if braked.get(&from).is_some_and(|names| names.contains(&name)) {
                continue;
            } else if known.look(from.other()).no_deletions {
                plan.held
                    .push(held(HeldKind::NoConfig, from, vec![name], &[]));
                continue;
            }
        }
        let act = strict(known, policy, &name, act, consented)
            .and_then(|act| elsewhere(known, policy, &name, act, consented));
        match act {
            Ok(act) => plan.steps.push(Step { name, act }),
            Err(held) => plan.held.push(held),
        }
    }
    plan
}

/// R3: one name, three versions.
fn decide(known: &Known<'_>, name: &str) -> Option<Act> {
    let agreed = known.agreed.get(name);
    let print = |version: Option<Version>| version.map(|version| version.print);
    let base = agreed.map(|agreed| agreed.version.print);
    let (host, container) = (
        print(known.version(Side::Host, name)),
        print(known.version(Side::Container, name)),
    );
    let unsure = agreed.and_then(|agreed| agreed.unsure);
    let put = |from, why| Some(Act::Put { from, why });
    match (base, host, container) {
        (None, None, None) => None,
        (Some(_), None, None) => Some(Act::Forget),
        // Known here: one side has it at least.
        (_, Some(h), Some(c)) if h == c => (base != host || unsure.is_some()).then_some(Act::Adopt),
        (None, Some(_), None) => put(Side::Host, Why::Created),
        (None, None, Some(_)) => put(Side::Container, Why::Created),
        (None, Some(_), Some(_)) => put(Side::Host, Why::Won),
        // One side has nothing: it deleted it, unless a pass was about to write there.
        (Some(_), None, Some(_)) if unsure == Some(Side::Host) => {
            put(Side::Container, Why::Changed)
        }
        (Some(_), Some(_), None) if unsure == Some(Side::Container) => {
            put(Side::Host, Why::Changed)
        }
        (Some(a), None, Some(c)) if a == c => Some(Act::Remove { from: Side::Host }),
        (Some(a), Some(h), None) if a == h => Some(Act::Remove {
            from: Side::Container,
        }),
        // A change beats a deletion.
        (Some(_), None, Some(_)) => put(Side::Container, Why::Created),
        (Some(_), Some(_), None) => put(Side::Host, Why::Created),
        // Both have it, and not the same.
        (Some(a), Some(h), Some(_)) if a == h => put(Side::Container, Why::Changed),
        (Some(a), Some(_), Some(c)) if a == c => put(Side::Host, Why::Changed),
        (Some(_), Some(_), Some(_)) => put(Side::Host, Why::Won),
    }
}

/// In strict mode, what a container does to whom a known context reaches is asked for first.
fn strict(
    known: &Known<'_>,
    policy: &Policy,
    name: &str,
    act: Act,
    consented: [bool; 2],
) -> Result<Act, Held> {
    let Some(agreed) = known.agreed.get(name).filter(|_| policy.strict) else {
        return Ok(act);
    };
    let now = known.version(Side::Container, name);
    let from = Side::Container;
    let kind = match act {
        Act::Remove {
            from: Side::Container,
        } if consented[from as usize] => return Ok(act),
        Act::Remove {
            from: Side::Container,
        } => HeldKind::Deleted,
        Act::Put {
            from: Side::Container,
            ..
        } if now.is_some_and(|now| now.reach != agreed.version.reach) => HeldKind::Changed,
        _ => return Ok(act),
    };
    ask(known, policy, name, act, from, kind)
}

/// R11: what is written to a store on another disk is asked for first.
fn elsewhere(
    known: &Known<'_>,
    policy: &Policy,
    name: &str,
    act: Act,
    consented: [bool; 2],
) -> Result<Act, Held> {
    let (from, is_consent) = match act {
        Act::Put { from, why } => (from, why == Why::Dropped),
        Act::Remove { from } => (from, consented[from as usize]),
        Act::Adopt | Act::Forget => return Ok(act),
    };
    if is_consent || !known.look(from.other()).is_read_only {
        return Ok(act);
    }
    ask(known, policy, name, act, from, HeldKind::Elsewhere)
}

/// What a person has said of a change that is theirs to decide; until they do, it is held.
fn ask(
    known: &Known<'_>,
    policy: &Policy,
    name: &str,
    act: Act,
    from: Side,
    kind: HeldKind,
) -> Result<Act, Held> {
    let now = known.version(from, name);
    let prints: Vec<Print> = now.iter().map(|now| now.print).collect();
    let held = held(kind, from, vec![name.to_owned()], &prints);
    if policy.approved.contains(&held.id) {
        Ok(act)
    } else if policy.dropped.contains(&held.id) {
        Ok(take_back(known, name, from))
    } else {
        Err(held)
    }
}

/// What makes a side hold again what the other has.
fn take_back(known: &Known<'_>, name: &str, from: Side) -> Act {
    let other = from.other();
    match known.version(other, name) {
        Some(_) => Act::Put {
            from: other,
            why: Why::Dropped,
        },
        None => Act::Remove { from: other },
    }
}

/// R5: a side that lost everything at once is not believed.
fn brake(known: &Known<'_>, policy: &Policy, side: Side) -> Option<Held> {
    let look = known.look(side);
    let deletes = |name: &&String| {
        !policy.no_sync.contains(*name)
            && matches!(decide(known, name), Some(Act::Remove { from }) if from == side)
    };
    let judged = |name: &&String| {
        !policy.no_sync.contains(*name)
            && !look.blocked.contains(*name)
            && !known.look(side.other()).blocked.contains(*name)
    };
    let gone: Vec<String> = known
        .agreed
        .keys()
        .filter(judged)
        .filter(deletes)
        .cloned()
        .collect();
    if look.is_missing {
        return (!gone.is_empty()).then(|| held(HeldKind::StoreGone, side, gone, &[]));
    }
    let kept = known.agreed.keys().filter(judged);
    let none_kept = kept
        .filter(|name| look.contexts.contains_key(*name))
        .count()
        == 0;
    (gone.len() >= MASS && none_kept).then(|| held(HeldKind::Emptied, side, gone, &[]))
}

fn held(kind: HeldKind, from: Side, names: Vec<String>, prints: &[Print]) -> Held {
    let what = format!("{kind:?} {from:?} {prints:?}");
    let parts = names.iter().map(String::as_bytes);
    let id = Print::of([what.as_bytes()].into_iter().chain(parts)).short();
    Held {
        id,
        kind,
        from,
        names,
    }
}

fn names(known: &Known<'_>) -> BTreeSet<String> {
    let sides = Side::BOTH
        .iter()
        .flat_map(|side| known.look(*side).contexts.keys());
    sides.chain(known.agreed.keys()).cloned().collect()
}

#[cfg(test)]
mod tests;
