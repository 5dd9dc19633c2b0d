//! Directories that went on one side and stay on the other, for what is in them and is not carried.
//!
//! As git does it: what is ignored stays when the directory around it goes, and nobody is told of it again and again.

use crate::change::{Change, Side};
use crate::edit::Edit;
use crate::mode::Mode;
use crate::name::RelPath;
use crate::reconcile::{Outcome, reconcile};
use crate::tree::Node;

/// A directory that stays on one side only. The base does not know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where it stays.
    pub side: Side,
    /// The place.
    pub path: RelPath,
    /// What can be seen of it: directories.
    pub shape: Node,
}

impl Left {
    /// What stays of a directory that a change was to take away, when only these places of it went; none when that is
    /// more than directories.
    #[must_use]
    pub fn of<'a>(
        side: Side,
        change: &Change,
        gone: impl IntoIterator<Item = &'a RelPath>,
    ) -> Option<Self> {
        let gone = gone.into_iter().filter_map(|path| {
            let path = path.below(&change.path)?;
            Some(Edit { path, entry: None })
        });
        let shape = Node::replaced(change.old.as_ref(), &gone.collect::<Vec<_>>())?;
        is_covered(&shape, &shape).then(|| Self {
            side,
            path: change.path.clone(),
            shape,
        })
    }

    /// Whether there is nothing else there by now, on either side.
    #[must_use]
    pub fn stands(&self, trees: [Option<&Node>; 2]) -> bool {
        let at = |side: Side| side.of(trees).and_then(|tree| tree.get(&self.path));
        let stays = at(self.side);
        at(self.side.other()).is_none() && stays.is_some_and(|node| is_covered(node, &self.shape))
    }

    fn is_taken_by(&self, change: &Change) -> bool {
        let old = change.old.as_ref().filter(|_| change.new.is_none());
        change.path == self.path && old.is_some_and(|old| is_covered(old, &self.shape))
    }
}

/// Whether a tree is directories alone, and all of them are in another one as well.
fn is_covered(node: &Node, by: &Node) -> bool {
    let (Node::Dir(dir), Node::Dir(by)) = (node, by) else {
        return false;
    };
    dir.iter().all(|(name, node)| {
        let by = by.get(name.as_bytes());
        by.is_some_and(|by| is_covered(node, by))
    })
}

/// Decides a cycle, as [`reconcile`] does, and leaves alone what stays on one side.
#[must_use]
pub fn reconcile_leaving(
    base: Option<&Node>,
    trees: [Option<&Node>; 2],
    mode: Mode,
    left: &[Left],
) -> Outcome {
    let [host, container] = trees;
    let left = left.iter().filter(|left| left.stands(trees));
    let left: Vec<&Left> = left.collect();
    if base.is_none() || left.is_empty() {
        return reconcile(base, host, container, mode);
    }
    // To the decision it is what one side deleted and the other has not yet.
    let known = left.iter().map(|left| Edit {
        path: left.path.clone(),
        entry: Some(left.shape.clone()),
    });
    let known = Node::overlaid(base, &known.collect::<Vec<_>>());
    let mut outcome = reconcile(known.as_ref(), host, container, mode);
    for (side, plan) in [
        (Side::Host, &mut outcome.host),
        (Side::Container, &mut outcome.container),
    ] {
        plan.changes.retain(|change| {
            let mut left = left.iter().filter(|left| left.side == side);
            !left.any(|left| left.is_taken_by(change))
        });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{self, tree};

    fn path(text: &str) -> RelPath {
        RelPath::new(text.as_bytes()).unwrap()
    }

    /// A place of the container.
    fn left(sketch: &str, at: &str) -> Left {
        let path = path(at);
        let shape = tree(sketch).unwrap().get(&path).unwrap().clone();
        let side = Side::Container;
        Left { side, path, shape }
    }

    #[test]
    fn what_stays_is_left_alone_until_something_comes_to_it() {
        let rows = "
            # base          | host       | container           | stays      | decided
            a=1             | a=1        | a=1 d/              | d d/       |
            a=1             | a=1        | a=1                 | d d/       |
            a=1             | a=1        | a=1 d/ e/           | d d/       | host:e/
            a=1             | a=1        | a=1 d/n=2           | d d/       | host:d/(n=2)
            a=1             | a=1        | a=1 d/n/            | d d/       | host:d/(n/)
            a=1             | a=1        | a=1 d=2             | d d/       | host:d=2
            a=1             | a=1 d/n=2  | a=1 d/              | d d/       | base:d/ container:d/n=2
            a=1             | a=1 d/     | a=1 d/              | d d/       | base:d/
            a=1             | a=1 d=2    | a=1 d/              | d d/       | conflict:d
            a=1             | a=2        | a=1 d/              | d d/       | container:a=2
            a=1             | a=1        | a=1 d/s/            | d d/s/     |
            a=1             | a=1        | a=1 d/              | d d/s/     |
            a=1             | a=1        | a=1 d/s/n=1         | d d/s/     | host:d/(s/(n=1))
            a=1 p/x=1       | a=1 p/x=1  | a=1 p/x=1 p/d/      | p/d p/d/   |
            a=1 p/x=1       | a=1        | a=1 p/x=1 p/d/      | p/d p/d/   | container:-p
            a=1 p/x=1       | a=1 p/x=1  | a=1 p/d/            | p/d p/d/   | host:-p/x
                            |            | d/                  | d d/       |
            -               | a=1        | a=1 d/              | d d/       | base:./ base:a=1 host:d/
        ";
        let mut wrong = Vec::new();
        for row in rows.lines().map(str::trim) {
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let [base, host, container] = [cells[0], cells[1], cells[2]].map(tree);
            let (at, sketch) = cells[3].split_once(' ').unwrap();
            let trees = [host.as_ref(), container.as_ref()];
            let stays = [left(sketch, at)];
            let outcome = reconcile_leaving(base.as_ref(), trees, Mode::TwoWaySafe, &stays);
            let decided = sketch::outcome(&outcome);
            if decided != cells[4] {
                wrong.push(format!("{row}\n   decided: {decided}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn only_directories_are_left() {
        for (old, gone, stays) in [
            ("d/a=1 d/b=2", "d/a d/b", Some("d/")),
            ("d/a=1 d/s/b=2 d/t/c=3", "d/a d/s/b d/t", Some("d/s/")),
            ("d/", "", Some("d/")),
            ("d/a=1 d/b=2", "d/a", None),
            ("d/a=1 d/x!", "d/a", None),
            ("d/a=1", "d", None),
        ] {
            let change = Change {
                path: path("d"),
                old: tree(old).unwrap().get(&path("d")).cloned(),
                new: None,
            };
            let gone: Vec<RelPath> = gone.split_whitespace().map(path).collect();
            let found = Left::of(Side::Container, &change, &gone);
            assert_eq!(found, stays.map(|stays| left(stays, "d")), "{old}");
        }
    }
}
