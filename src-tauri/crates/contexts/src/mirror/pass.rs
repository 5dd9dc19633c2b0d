//! One pass: looks until both sides rest, plans, and carries out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::config::Config;
use super::history::Change;
use super::plan::{self, Known, Look, Plan, Policy};
use super::publish::Publisher;
use super::{Mirror, MirrorError, Seen, Side};
use crate::inventory::{Health, Inventory, Share};

/// Between two looks that have to be the same.
pub(super) const SECOND_LOOK: Duration = Duration::from_millis(50);
/// A store that changes between all of so many looks is looked at again later.
const LOOKS: u32 = 4;
/// When to come back to one that does not rest.
const RESTLESS: Duration = Duration::from_millis(500);
/// Plans that were overtaken in one pass, before the rest waits for the next.
const ROUNDS: u32 = 3;

/// What a pass did.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// What was carried over, in order.
    pub changes: Vec<Change>,
    /// When to come back, if something waits.
    pub again_in: Option<Duration>,
}

impl Mirror {
    /// Looks at both sides and carries over what is to be carried over.
    ///
    /// # Errors
    /// What the mirror remembers cannot be written. What goes wrong with one context is in the status.
    pub fn pass(&mut self) -> Result<Pass, MirrorError> {
        self.pass_with(&Policy::default())
    }

    /// A pass where nothing should have changed, since every change is told and none was: while all rests it looks at the
    /// stores themselves, and at one in [`GLANCES`](super::GLANCES) of their contexts. As soon as it finds a change, it
    /// looks at everything.
    ///
    /// # Errors
    /// As for [`Mirror::pass`].
    pub fn glance(&mut self) -> Result<Pass, MirrorError> {
        self.glances += 1;
        match self.is_at_rest && self.is_as_seen(Share(self.glances)) {
            true => Ok(Pass::default()),
            false => self.pass(),
        }
    }

    pub(super) fn pass_with(&mut self, decided: &Policy) -> Result<Pass, MirrorError> {
        let mut pass = Pass::default();
        self.seen.no_container = !self.is_set_up();
        if self.seen.no_container {
            self.seen = Seen {
                no_container: true,
                ..Seen::default()
            };
            self.unsettle();
            return Ok(pass);
        }
        if std::mem::take(&mut self.is_first) {
            self.keep_leftovers()?;
        }
        for _ in 0..ROUNDS {
            let rested = self.look();
            if rested && self.is_at_rest && !decided.decides() {
                return Ok(pass);
            }
            self.unsettle();
            if !rested {
                pass.again_in = Some(RESTLESS);
                return Ok(pass);
            }
            let (plan, again_in) = self.plan(decided);
            pass.again_in = again_in;
            let overtaken = self.carry_out(&plan, &mut pass.changes);
            let is_noted = self.history.catch_up();
            self.is_at_rest =
                plan.steps.is_empty() && again_in.is_none() && !decided.decides() && is_noted;
            self.seen.held = plan.held;
            if !overtaken {
                break;
            }
            pass.again_in = Some(RESTLESS);
        }
        if !pass.changes.is_empty() {
            self.see();
        }
        // What a person consented to is no news.
        if decided.approved.is_empty() {
            self.fresh.extend(pass.changes.iter().cloned());
        }
        Ok(pass)
    }

    /// Two looks that see the same, or none of so many. What rested before counts as one of them.
    fn look(&mut self) -> bool {
        let rested = self.seen.rested;
        self.seen.rested = self.see() && rested;
        for _ in 0..LOOKS {
            if self.seen.rested {
                return true;
            }
            self.world.pause(SECOND_LOOK);
            self.seen.rested = self.see();
        }
        self.seen.rested
    }

    /// Whether both sides are as the last look saw them, as far as this share of their contexts tells.
    fn is_as_seen(&mut self, share: Share) -> bool {
        let world = self.world.clone();
        let now = || world.elapsed();
        let mut stores = self.roots.iter().zip(&mut self.memory);
        stores.all(|(root, memory)| root.is_as(&mut memory.store, share, &now))
            && self.see_configs() == self.seen.configs
    }

    /// Looks at both sides; whether their contexts are as the look before saw them.
    pub(super) fn see(&mut self) -> bool {
        let world = self.world.clone();
        let now = || world.elapsed();
        let [host, container] = &mut self.memory;
        let remembered = [(&self.roots[0], host), (&self.roots[1], container)];
        let sides = remembered.map(|(root, memory)| root.look(&mut memory.store, &now));
        let configs = self.see_configs();
        let is_same = sides == self.seen.sides;
        self.is_at_rest &= is_same && configs == self.seen.configs;
        self.seen.sides = sides;
        self.seen.configs = configs;
        self.seen.rested = false;
        is_same
    }

    fn see_configs(&mut self) -> [Option<Config>; 2] {
        let world = self.world.clone();
        let now = || world.elapsed();
        let [host, container] = &mut self.memory;
        let remembered = [(&self.roots[0], host), (&self.roots[1], container)];
        remembered.map(|(root, memory)| Some(Config::look(root, &mut memory.config, &now)))
    }

    /// What to do by what was seen, and when to come back for what waits.
    fn plan(&mut self, decided: &Policy) -> (Plan, Option<Duration>) {
        let now = self.world.elapsed();
        let archive = &self.archive;
        let mut due: Option<Duration> = None;
        self.seen.waiting.clear();
        for side in Side::BOTH {
            let inventory = &self.seen.sides[side as usize];
            let agreed = |name: &str| archive.payload(name);
            for (name, until) in self.shrunk.look(side, inventory, agreed, now) {
                due = Some(due.map_or(until, |due| due.min(until)));
                self.seen.waiting.insert(name);
            }
        }
        let again_in = due.map(|due| due.saturating_sub(now));
        if Side::BOTH.iter().any(|side| self.is_unusable(*side)) {
            return (Plan::default(), again_in);
        }
        let [host, container] = Side::BOTH.map(|side| self.look_of(side));
        let known = Known {
            agreed: &self.archive.agreed(),
            host: &host,
            container: &container,
        };
        let policy = Policy {
            strict: self.wishes.strict,
            no_sync: self.wishes.no_sync.clone(),
            ..decided.clone()
        };
        (plan::plan(&known, &policy), again_in)
    }

    fn is_unusable(&self, side: Side) -> bool {
        matches!(self.seen.sides[side as usize].health, Health::Unusable(_))
    }

    pub(super) fn look_of(&self, side: Side) -> Look {
        let inventory = &self.seen.sides[side as usize];
        let contexts = inventory.contexts.iter();
        let odd_names = self.names_of_odd(inventory);
        Look {
            contexts: contexts
                .map(|(name, found)| (name.clone(), found.version()))
                .collect(),
            blocked: odd_names.chain(self.seen.waiting.iter().cloned()).collect(),
            is_missing: matches!(inventory.health, Health::Missing(_)),
            no_deletions: matches!(self.seen.configs[side as usize], Some(Config::Unusable(_))),
            is_read_only: inventory.is_elsewhere,
        }
    }

    /// Names of the contexts in whose folders something lies that cannot be judged.
    fn names_of_odd<'a>(&'a self, inventory: &'a Inventory) -> impl Iterator<Item = String> + 'a {
        let known = self.archive.agreed().into_keys();
        let sides = self
            .seen
            .sides
            .iter()
            .flat_map(|side| side.contexts.keys().cloned());
        let all: BTreeSet<String> = known.chain(sides).collect();
        all.into_iter()
            .filter(|name| inventory.odd.contains_key(&crate::store::context_id(name)))
    }

    /// What a pass that was killed had taken out of a store, and maybe never looked at.
    fn keep_leftovers(&mut self) -> Result<(), MirrorError> {
        let world = self.world.clone();
        for side in Side::BOTH {
            let Some(publisher) = Publisher::reopen(self.root(side), &*world) else {
                continue;
            };
            if let Some(payload) = publisher.leftover() {
                self.throw_away(side, "a pass was ended while it was replaced", &payload)?;
            }
            publisher.clear()?;
        }
        Ok(())
    }
}
