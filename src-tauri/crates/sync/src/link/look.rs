//! Looks at both sides, by the rules that hold.

use std::thread;

use mizzen_sync_core::{RelPath, RuleTexts, Side};

use super::{Both, CycleError, Link};
use crate::scan::Dirty;

/// By new rules, further files that rules come from may be seen; a project has few such levels.
pub(super) const RULE_LOOKS: usize = 8;

impl Link {
    pub(super) fn obey(&mut self, rules: &RuleTexts) -> Result<(), CycleError> {
        let host = self.sides.host.obey(rules);
        host.map_err(|error| CycleError::Look(Side::Host, error))?;
        let container = self.sides.container.obey(rules);
        container.map_err(|error| CycleError::Look(Side::Container, error))
    }

    /// Looks at both sides, at once where both have something to look at.
    pub(super) fn look(&mut self, dirty: &Both<Dirty>) -> Result<(), CycleError> {
        if *dirty == Both::everything() {
            self.rooms = Both::default();
        }
        let here = with(&dirty.host, &self.stale.host);
        let there = with(&dirty.container, &self.stale.container);
        let base = self.base.as_ref();
        let Both { host, container } = &mut self.sides;
        let is_one_quiet =
            here.is_empty() && host.is_quiet() || there.is_empty() && container.is_quiet();
        let (found_here, found_there) = if is_one_quiet {
            // For that one a thread would take longer than the look.
            (host.look(&here, base), container.look(&there, base))
        } else {
            thread::scope(|scope| {
                let there = scope.spawn(|| container.look(&there, base));
                let here = host.look(&here, base);
                (here, there.join().expect("BUG: a look panicked"))
            })
        };
        for (side, found) in [(Side::Host, found_here), (Side::Container, found_there)] {
            let found = found.map_err(|error| CycleError::Look(side, error))?;
            *self.seen.of(side) = Some(found);
            self.stale.of(side).clear();
        }
        for side in [Side::Host, Side::Container] {
            self.lend_modes(side);
        }
        Ok(())
    }

    /// A disk that has one answer for all files changes nothing about who may execute them, and knows nothing of it.
    fn lend_modes(&mut self, side: Side) {
        let other = self.seen.of(side.other()).as_ref();
        let other = other.filter(|seen| !seen.has_one_mode);
        let other = other.and_then(|seen| seen.tree.clone());
        let base = self.base.as_ref();
        let seen = self.seen.of(side).as_mut().filter(|seen| seen.has_one_mode);
        if let Some(tree) = seen.and_then(|seen| seen.tree.as_mut()) {
            *tree = tree.with_modes_of([base, other.as_ref()]);
            if let Some(base) = base {
                *tree = tree.sharing(base);
            }
        }
    }

    /// Looks at everything again by other rules, when those that hold have changed.
    pub(super) fn heed_rules(&mut self) -> Result<(), CycleError> {
        for _ in 0..RULE_LOOKS {
            let Some(rules) = &mut self.rules else {
                return Ok(());
            };
            let Some(seen) = self.seen.of(rules.side) else {
                return Ok(());
            };
            let Some(changed) = rules.changed(seen, &mut self.sides)? else {
                return Ok(());
            };
            self.obey(&changed)?;
            self.rules = self.rules.take().map(|rules| rules.now(changed));
            self.look(&Both::everything())?;
        }
        // Each look has found more: no look by rules that are not whole may end here.
        if let Some(rules) = &mut self.rules {
            rules.search(&mut self.sides)?;
            let texts = rules.texts().clone();
            self.obey(&texts)?;
            self.look(&Both::everything())?;
        }
        Ok(())
    }
}

/// What is dirty, with some more places.
fn with(dirty: &Dirty, places: &[RelPath]) -> Dirty {
    let mut all = dirty.clone();
    for place in places {
        all.add(place);
    }
    all
}
