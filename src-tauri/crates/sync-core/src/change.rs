//! What a cycle does to one side.

use std::fmt;

use crate::edit::Edit;
use crate::name::{RelPath, Walk};
use crate::tree::Node;

/// One of a link's two roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The person's machine.
    Host,
    /// The session's container.
    Container,
}

/// What people call the folders of both sides, the host's first.
pub type FolderNames = [&'static str; 2];

/// Those of a session.
pub const FOLDER_NAMES: FolderNames = ["the host's folder", "the container's folder"];

impl Side {
    /// What people call it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Container => "container",
        }
    }

    /// Its own of two things, of which the first is the host's.
    #[must_use]
    pub fn of<T>(self, [host, container]: [T; 2]) -> T {
        match self {
            Self::Host => host,
            Self::Container => container,
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Host => Self::Container,
            Self::Container => Self::Host,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One place of a side, with all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The place.
    pub path: RelPath,
    /// What was seen there, and must still be there when it goes.
    pub old: Option<Node>,
    /// What is to be there.
    pub new: Option<Node>,
}

/// All that a cycle does to one side: one change for each place, parents before what is created in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The changes, in the order in which they are carried out.
    pub changes: Vec<Change>,
}

/// One operation on one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Takes an entry away; a directory is empty by then.
    Remove(&'a Node),
    /// Puts an entry where none is; a directory is empty at first.
    Create(&'a Node),
    /// Puts a file or link in the place of a file or link, at once.
    Replace(&'a Node, &'a Node),
}

impl Change {
    /// Tells its steps in order: children leave before their parents, and come after them.
    pub fn steps<'a>(&'a self, mut tell: impl FnMut(&RelPath, Step<'a>)) {
        let mut walk = Walk::at(&self.path);
        match (&self.old, &self.new) {
            (
                Some(old @ (Node::File(_) | Node::Link(_))),
                Some(new @ (Node::File(_) | Node::Link(_))),
            ) => {
                tell(&self.path, Step::Replace(old, new));
            }
            (old, new) => {
                if let Some(old) = old {
                    remove(old, &mut walk, &mut tell);
                }
                if let Some(new) = new {
                    create(new, &mut walk, &mut tell);
                }
            }
        }
    }

    /// What the base becomes when it has been carried out.
    #[must_use]
    pub fn agreed(&self) -> Edit {
        Edit {
            path: self.path.clone(),
            entry: self.new.clone(),
        }
    }
}

fn remove<'a>(node: &'a Node, walk: &mut Walk, tell: &mut impl FnMut(&RelPath, Step<'a>)) {
    for (name, child) in node.as_dir().into_iter().flatten() {
        let mark = walk.enter(name);
        remove(child, walk, tell);
        walk.leave(mark);
    }
    tell(&walk.path(), Step::Remove(node));
}

fn create<'a>(node: &'a Node, walk: &mut Walk, tell: &mut impl FnMut(&RelPath, Step<'a>)) {
    tell(&walk.path(), Step::Create(node));
    for (name, child) in node.as_dir().into_iter().flatten() {
        let mark = walk.enter(name);
        create(child, walk, tell);
        walk.leave(mark);
    }
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Number of entries that were there and are not there any more afterwards.
    #[must_use]
    pub fn deletions(&self) -> u64 {
        let deleted = self
            .changes
            .iter()
            .map(|change| match (&change.old, &change.new) {
                (Some(old), None) => old.count(),
                (Some(old), Some(_)) => old.count() - 1,
                (None, _) => 0,
            });
        deleted.sum()
    }

    pub(crate) fn change(&mut self, path: RelPath, old: Option<&Node>, new: Option<Node>) {
        let old = old.cloned();
        self.changes.push(Change { path, old, new });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::tree;

    fn steps(old: &str, new: &str) -> Vec<String> {
        let entry = |sketch: &str| {
            tree(sketch)
                .unwrap()
                .get(&RelPath::new(b"e").unwrap())
                .cloned()
        };
        let change = Change {
            path: RelPath::new(b"x/e").unwrap(),
            old: entry(old),
            new: entry(new),
        };
        let mut told = Vec::new();
        change.steps(|path, step| {
            told.push(match step {
                Step::Remove(_) => format!("-{path}"),
                Step::Create(_) => format!("+{path}"),
                Step::Replace(..) => format!("~{path}"),
            });
        });
        told
    }

    #[test]
    fn children_leave_before_their_parents_and_come_after_them() {
        assert_eq!(steps("e/a/b=1", ""), ["-x/e/a/b", "-x/e/a", "-x/e"]);
        assert_eq!(steps("", "e/a/b=1"), ["+x/e", "+x/e/a", "+x/e/a/b"]);
        assert_eq!(steps("e/a=1", "e=1"), ["-x/e/a", "-x/e", "+x/e"]);
        assert_eq!(steps("e=1", "e/a=1"), ["-x/e", "+x/e", "+x/e/a"]);
    }

    #[test]
    fn a_file_or_link_is_replaced_at_once() {
        assert_eq!(steps("e=1", "e=2"), ["~x/e"]);
        assert_eq!(steps("e->a", "e=2"), ["~x/e"]);
    }

    #[test]
    fn what_is_replaced_is_no_deletion() {
        let deletions = |old: &str, new: &str| {
            let change = Change {
                path: RelPath::root(),
                old: tree(old),
                new: tree(new),
            };
            Plan {
                changes: vec![change],
            }
            .deletions()
        };
        assert_eq!(deletions("a=1 b=1", "-"), 3);
        assert_eq!(deletions("a=1 b=1", ""), 2);
        assert_eq!(deletions("-", "a=1"), 0);
    }
}
