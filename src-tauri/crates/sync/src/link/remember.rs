//! What a cycle came to, as the next one will need it.

use mizzen_fsx::PathError;
use mizzen_sync_core::{Edit, Node, Outcome, RelPath, Side};

use super::{Cycle, Link};
use crate::trash::CycleId;

impl Link {
    /// Notes where a cycle is about to displace what both sides had not agreed on.
    pub(super) fn note_contested(&mut self, id: CycleId, outcome: &Outcome) {
        let base = self.base.as_ref();
        let plans = outcome.plans().into_iter();
        let changes = plans.flat_map(|(_, plan)| &plan.changes);
        let contested = changes.filter(|change| {
            let agreed = base.and_then(|base| base.get(&change.path));
            let old = change.old.as_ref();
            old.is_some_and(|old| !agreed.is_some_and(|agreed| agreed.same(old)))
        });
        let places: Vec<&RelPath> = contested.map(|change| &change.path).collect();
        if let (Some(journal), false) = (&mut self.journal, places.is_empty()) {
            journal.contest(id, &places);
        }
    }

    /// The base learns what both sides agree on by now, and nothing else: what was done to one side, which the other
    /// holds already, and, of what neither held, what was done on both.
    pub(super) fn remember(
        &mut self,
        agreed: &[Edit],
        on_both: impl Fn(&RelPath) -> bool,
        cycle: &mut Cycle,
    ) -> Result<(), PathError> {
        self.note_stale(cycle);
        let mut learnt = agreed.to_vec();
        let (host, container) = (&cycle.applied.host.done, &cycle.applied.container.done);
        let done_on_both = |edit: &Edit| [host, container].iter().all(|done| has(done, &edit.path));
        let known = host
            .iter()
            .chain(container)
            .filter(|edit| !on_both(&edit.path) || done_on_both(edit));
        learnt.extend(known.cloned());
        if learnt.is_empty() {
            return Ok(());
        }
        let gone = host
            .iter()
            .chain(container)
            .filter(|edit| edit.entry.is_none());
        let before = gone.filter_map(|edit| self.base.as_ref()?.get(&edit.path));
        cycle.deleted = before.map(Node::count).sum();
        let (base, contents) = (self.base.as_ref(), self.sides.host.contents());
        let kept = self.texts.keep(base, &learnt, &*contents);
        drop(contents);
        self.base = Node::overlaid(base, &learnt);
        self.store.learn(&learnt, self.base.as_ref())?;
        // Without a text there is one merge less, and nothing else is wrong.
        kept
    }

    /// What was touched is looked at again.
    pub(super) fn note_stale(&mut self, cycle: &mut Cycle) {
        for side in [Side::Host, Side::Container] {
            let applied = cycle.applied.of(side);
            let done = applied.done.iter().map(|edit| &edit.path);
            let failed = applied.failed.iter().map(|failure| &failure.path);
            self.stale.of(side).extend(done.chain(failed).cloned());
        }
    }
}

fn has(done: &[Edit], path: &RelPath) -> bool {
    done.iter().any(|edit| edit.path == *path)
}
