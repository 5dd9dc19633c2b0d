//! Decides what a cycle does, from the base and what each side holds now.
//!
//! Shape and laws follow "What is a File Synchronizer?" (Balasubramaniam and Pierce, 1998) and the specification of
//! Unison (Pierce and Vouillon, 2004): a change is propagated or reported, and never dropped; what neither side changed
//! is not touched. Where deletion meets change, the change stays, in every two-way mode: a deletion can be repeated.

mod both_changed;

use std::sync::Arc;

use crate::change::{Plan, Side};
use crate::edit::Edit;
use crate::mode::Mode;
use crate::name::{Name, RelPath, Walk};
use crate::tree::{Dir, File, Node, Unsyncable};

/// What a cycle does and what it leaves to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the base has yet to learn: both sides agree on it already.
    pub agreed: Vec<Edit>,
    /// What is done to the host.
    pub host: Plan,
    /// What is done to the container.
    pub container: Plan,
    /// Texts that both sides changed, to be tried as a three-way merge. One that fails is a conflict.
    pub merges: Vec<Merge>,
    /// What both sides changed in ways that do not go together.
    pub conflicts: Vec<Conflict>,
    /// What cannot be carried.
    pub problems: Vec<Problem>,
}

impl Outcome {
    /// What is done to each side.
    #[must_use]
    pub fn plans(&self) -> [(Side, &Plan); 2] {
        [(Side::Host, &self.host), (Side::Container, &self.container)]
    }
}

/// A file that both sides changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The place.
    pub path: RelPath,
    /// The contents that both began with.
    pub base: File,
    /// The host's file.
    pub host: File,
    /// The container's file.
    pub container: File,
    /// Whether the merged file is executable.
    pub executable: bool,
}

/// A place that holds something else on each side, both new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The place.
    pub path: RelPath,
    /// What both sides last agreed on.
    pub base: Option<Node>,
    /// What the host holds.
    pub host: Option<Node>,
    /// What the container holds.
    pub container: Option<Node>,
}

/// A place that cannot be carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place.
    pub path: RelPath,
    /// The side that holds it.
    pub side: Side,
    /// Why it cannot.
    pub why: Unsyncable,
}

impl Outcome {
    /// What the base becomes when both plans have been carried out.
    #[must_use]
    pub fn next_base(&self, base: Option<&Node>) -> Option<Node> {
        let plans = self.host.changes.iter().chain(&self.container.changes);
        let edits: Vec<Edit> = self
            .agreed
            .iter()
            .cloned()
            .chain(plans.map(|change| change.agreed()))
            .collect();
        Node::overlaid(base, &edits)
    }

    /// Whether both sides are in step and nobody is asked for anything.
    #[must_use]
    pub fn is_in_step(&self) -> bool {
        self.host.is_empty()
            && self.container.is_empty()
            && self.merges.is_empty()
            && self.conflicts.is_empty()
            && self.problems.is_empty()
    }
}

/// Decides a cycle.
#[must_use]
pub fn reconcile(
    base: Option<&Node>,
    host: Option<&Node>,
    container: Option<&Node>,
    mode: Mode,
) -> Outcome {
    let mut cycle = Cycle {
        mode,
        walk: Walk::default(),
        outcome: Outcome::default(),
    };
    cycle.visit(base, host, container);
    cycle.outcome
}

struct Cycle {
    mode: Mode,
    walk: Walk,
    outcome: Outcome,
}

impl Cycle {
    fn visit(&mut self, base: Option<&Node>, host: Option<&Node>, container: Option<&Node>) {
        if is_shared(base, host, container) {
            return;
        }
        let stuck = [(Side::Host, host), (Side::Container, container)]
            .into_iter()
            .filter_map(|(side, node)| Some((side, as_unsyncable(node?)?)));
        let before = self.outcome.problems.len();
        for (side, why) in stuck {
            self.problem(side, why);
        }
        if self.outcome.problems.len() > before {
            return;
        }
        match (host, container) {
            (None, None) => self.agree(base, None),
            (Some(Node::Dir(one)), Some(Node::Dir(two))) => {
                if as_dir(base).is_none() {
                    self.agree(base, Some(Node::empty_dir()));
                }
                self.visit_children(as_dir(base), Some(one), Some(two));
            }
            (Some(one), Some(two)) if one.same(two) => self.agree(base, Some(one.clone())),
            _ => self.visit_difference(base, host, container),
        }
    }

    fn below(&mut self, name: &Name, look: impl FnOnce(&mut Self)) {
        let mark = self.walk.enter(name);
        look(self);
        self.walk.leave(mark);
    }

    fn visit_children(&mut self, base: Option<&Dir>, host: Option<&Dir>, container: Option<&Dir>) {
        let mut trees = [base, host, container].map(|dir| dir.into_iter().flatten().peekable());
        while let Some(name) = trees
            .iter_mut()
            .filter_map(|tree| Some(&tree.peek()?.0))
            .min()
        {
            let name: &Name = name;
            let [base, host, container] = trees
                .each_mut()
                .map(|tree| Some(&tree.next_if(|(found, _)| found == name)?.1));
            self.below(name, |cycle| {
                cycle.visit(base, host, container);
            });
        }
    }

    /// Known here: the sides differ, they are not both directories, and each is absent or can be carried itself.
    fn visit_difference(
        &mut self,
        base: Option<&Node>,
        host: Option<&Node>,
        container: Option<&Node>,
    ) {
        if self.mode == Mode::OneWayReplica {
            return self.propagate(base, Side::Container, container, host);
        }
        // A directory that one side deleted: what the other changed in it stays, the rest follows the deletion.
        match (base, host, container) {
            (Some(Node::Dir(_)), None, Some(left @ Node::Dir(_))) => {
                return self.deleted_directory(base, Side::Host, left);
            }
            // One way, a deletion in the container is undone like any other.
            (Some(Node::Dir(_)), Some(left @ Node::Dir(_)), None)
                if self.mode != Mode::OneWaySafe =>
            {
                return self.deleted_directory(base, Side::Container, left);
            }
            _ => {}
        }
        let changed = (has_changed(base, host), has_changed(base, container));
        match (self.mode, changed) {
            (_, (true, false)) => self.propagate(base, Side::Container, container, host),
            // Nothing is lost when it comes back.
            (Mode::OneWaySafe, (false, true)) if container.is_none() => {
                self.propagate(base, Side::Container, None, host);
            }
            (Mode::OneWaySafe, (false, true)) => {}
            (_, (false, true)) => self.propagate(base, Side::Host, host, container),
            (_, (true, true)) => self.both_changed(base, host, container),
            (_, (false, false)) => unreachable!("BUG: sides that differ are not both as the base"),
        }
    }

    /// Puts what one side holds in the place of what the other holds, all below it included.
    pub(super) fn propagate(
        &mut self,
        base: Option<&Node>,
        to: Side,
        old: Option<&Node>,
        new: Option<&Node>,
    ) {
        if let Some(old) = old.filter(|old| old.has_unsyncable()) {
            // Known here: a directory. What lies in it and cannot be carried would be lost with it.
            self.report_unsyncable(to, old);
            if new.is_none() {
                self.delete_what_can_go(to, old);
            }
            return;
        }
        if let Some(new) = new {
            self.report_unsyncable(to.other(), new);
        }
        let path = self.walk.path();
        let new = new.and_then(Node::syncable);
        if let (Some(before), Some(after)) = (as_dir(base), as_dir(new.as_ref())) {
            self.forget(before, after);
        }
        self.plan(to).change(path, old, new);
    }

    /// Neither side holds any more what the base had in a directory and `after` has not.
    fn forget(&mut self, before: &Dir, after: &Dir) {
        for (name, node) in before {
            self.below(name, |cycle| match (node, after.get(name.as_bytes())) {
                (_, None) => cycle.agree(Some(node), None),
                (Node::Dir(before), Some(Node::Dir(after))) => cycle.forget(before, after),
                (_, Some(_)) => {}
            });
        }
    }

    /// One side deleted a directory, and `left` is what the other still holds of it.
    fn deleted_directory(&mut self, base: Option<&Node>, deleter: Side, left: &Node) {
        let holder = deleter.other();
        let has_news = has_news(base, left);
        if !has_news && !left.has_unsyncable() {
            return self.propagate(base, holder, Some(left), None);
        }
        if has_news && self.mode != Mode::OneWaySafe {
            let path = self.walk.path();
            self.plan(deleter)
                .change(path, None, Some(Node::empty_dir()));
        }
        match holder {
            Side::Host => self.visit_children(as_dir(base), left.as_dir(), None),
            Side::Container => self.visit_children(as_dir(base), None, left.as_dir()),
        }
    }

    /// Deletes all of a directory but what cannot be carried and the directories above it.
    fn delete_what_can_go(&mut self, side: Side, dir: &Node) {
        for (name, child) in dir.as_dir().into_iter().flatten() {
            self.below(name, |cycle| match child {
                Node::Unsyncable(_) => {}
                Node::Dir(_) if child.has_unsyncable() => cycle.delete_what_can_go(side, child),
                Node::Dir(_) | Node::File(_) | Node::Link(_) => {
                    let path = cycle.walk.path();
                    cycle.plan(side).change(path, Some(child), None);
                }
            });
        }
    }

    pub(super) fn agree(&mut self, base: Option<&Node>, entry: Option<Node>) {
        if !same(base, entry.as_ref()) {
            let path = self.walk.path();
            self.outcome.agreed.push(Edit { path, entry });
        }
    }

    fn problem(&mut self, side: Side, why: Unsyncable) {
        let path = self.walk.path();
        self.outcome.problems.push(Problem { path, side, why });
    }

    fn report_unsyncable(&mut self, side: Side, node: &Node) {
        match node {
            Node::Unsyncable(why) => self.problem(side, *why),
            Node::Dir(dir) => {
                for (name, child) in dir.iter() {
                    self.below(name, |cycle| {
                        cycle.report_unsyncable(side, child);
                    });
                }
            }
            Node::File(_) | Node::Link(_) => {}
        }
    }

    fn plan(&mut self, side: Side) -> &mut Plan {
        match side {
            Side::Host => &mut self.outcome.host,
            Side::Container => &mut self.outcome.container,
        }
    }
}

/// Whether all three are one and the same directory in memory.
fn is_shared(base: Option<&Node>, host: Option<&Node>, container: Option<&Node>) -> bool {
    match (base, host, container) {
        (Some(Node::Dir(base)), Some(Node::Dir(host)), Some(Node::Dir(container))) => {
            Arc::ptr_eq(base, host) && Arc::ptr_eq(base, container)
        }
        _ => false,
    }
}

fn same(one: Option<&Node>, two: Option<&Node>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one.same(two),
        (None, None) => true,
        _ => false,
    }
}

/// Whether a side differs from the base in what can be carried.
fn has_changed(base: Option<&Node>, side: Option<&Node>) -> bool {
    !same(base, side.and_then(Node::syncable).as_ref())
}

/// Whether a side holds anything that can be carried and that the base does not hold.
fn has_news(base: Option<&Node>, side: &Node) -> bool {
    match side {
        Node::Unsyncable(_) => false,
        Node::File(_) | Node::Link(_) => !same(base, Some(side)),
        Node::Dir(dir) => match as_dir(base) {
            Some(base) => dir
                .iter()
                .any(|(name, node)| has_news(base.get(name.as_bytes()), node)),
            None => true,
        },
    }
}

fn as_dir(node: Option<&Node>) -> Option<&Dir> {
    node.and_then(Node::as_dir)
}

fn as_unsyncable(node: &Node) -> Option<Unsyncable> {
    match node {
        Node::Unsyncable(why) => Some(*why),
        Node::File(_) | Node::Dir(_) | Node::Link(_) => None,
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
