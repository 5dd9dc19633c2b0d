//! What is remembered of a side, so that the next look is cheap.

use std::sync::Arc;

use mizzen_sync_core::{Dir, Name, Node};

use crate::entry::Stamp;

/// A directory's entries, and beside each what else is remembered of it.
#[derive(Debug)]
pub(crate) struct SeenDir {
    pub(crate) dir: Arc<Dir>,
    beside: Box<[Seen]>,
}

#[derive(Clone, Debug)]
pub(crate) enum Seen {
    File { stamp: Stamp, settled: bool },
    Dir(Arc<SeenDir>),
    Other,
}

impl SeenDir {
    /// A directory, and what is remembered beside each of its entries.
    pub(super) fn new(dir: Arc<Dir>, beside: Vec<Seen>) -> Arc<Self> {
        let beside = beside.into();
        Arc::new(Self { dir, beside })
    }

    /// Its entries in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Node, &Seen)> {
        self.dir.iter().map(|(_, node)| node).zip(&self.beside)
    }

    pub(crate) fn get(&self, name: &Name) -> Option<(&Node, &Seen)> {
        let at = self.dir.position(name.as_bytes())?;
        Some((&self.dir.iter().as_slice()[at].1, &self.beside[at]))
    }
}

/// An entry and what is remembered of it.
pub(super) type Entry = (Name, Node, Seen);

/// Entries of a directory that are not looked at again.
pub(super) fn kept<'a>(before: &SeenDir, dirty: impl Iterator<Item = &'a Name>) -> Vec<Entry> {
    let mut dirty = dirty.peekable();
    let all = before.dir.iter().zip(&before.beside);
    let kept = all.filter(|((name, _), _)| {
        while dirty.next_if(|dirty| *dirty < name).is_some() {}
        dirty.next_if(|dirty| *dirty == name).is_none()
    });
    kept.map(|((name, node), seen)| (name.clone(), node.clone(), seen.clone()))
        .collect()
}

/// Remembers a directory; one that has not changed is the one that was remembered before.
pub(super) fn remembered(entries: Vec<Entry>, before: Option<&Arc<SeenDir>>) -> Arc<SeenDir> {
    let mut dir = Vec::with_capacity(entries.len());
    let mut beside = Vec::with_capacity(entries.len());
    for (name, node, seen) in entries {
        dir.push((name, node));
        beside.push(seen);
    }
    let Some(before) = before else {
        return Arc::new(SeenDir {
            dir: Arc::new(Dir::new(dir)),
            beside: beside.into(),
        });
    };
    let is_same_tree = before.dir.len() == dir.len()
        && before
            .dir
            .iter()
            .zip(&dir)
            .all(|(one, two)| one.0 == two.0 && is_identical(&one.1, &two.1));
    let is_same_beside = is_same_tree
        && before.beside.iter().zip(&beside).all(|pair| match pair {
            (
                Seen::File {
                    stamp: one,
                    settled: first,
                },
                Seen::File {
                    stamp: two,
                    settled: second,
                },
            ) => one == two && first == second,
            (Seen::Dir(one), Seen::Dir(two)) => Arc::ptr_eq(one, two),
            (Seen::Other, Seen::Other) => true,
            _ => false,
        });
    match (is_same_tree, is_same_beside) {
        (true, true) => before.clone(),
        (true, false) => Arc::new(SeenDir {
            dir: before.dir.clone(),
            beside: beside.into(),
        }),
        (false, _) => Arc::new(SeenDir {
            dir: Arc::new(Dir::new(dir)),
            beside: beside.into(),
        }),
    }
}

/// The same, in which each directory that is identical to the one in a tree is that one: what is shared in memory need
/// not be compared again.
pub(super) fn sharing(seen: &Arc<SeenDir>, tree: &Arc<Dir>) -> Arc<SeenDir> {
    if Arc::ptr_eq(&seen.dir, tree) {
        return seen.clone();
    }
    let mut changed = false;
    let mut entries = Vec::with_capacity(seen.dir.len());
    for ((name, node), beside) in seen.dir.iter().zip(&seen.beside) {
        let (mut node, mut beside) = (node.clone(), beside.clone());
        if let (Seen::Dir(below), Some(Node::Dir(other))) = (&beside, tree.get(name.as_bytes())) {
            let shared = sharing(below, other);
            if !Arc::ptr_eq(&shared, below) {
                changed = true;
                node = Node::Dir(shared.dir.clone());
                beside = Seen::Dir(shared);
            }
        }
        entries.push((name.clone(), node, beside));
    }
    let is_identical = seen.dir.len() == tree.len()
        && entries
            .iter()
            .zip(tree.iter())
            .all(|((name, node, _), other)| *name == other.0 && is_identical(node, &other.1));
    if is_identical {
        let beside = entries.into_iter().map(|(_, _, beside)| beside).collect();
        let dir = tree.clone();
        return Arc::new(SeenDir { dir, beside });
    }
    if changed {
        remembered(entries, None)
    } else {
        seen.clone()
    }
}

/// Whether two nodes are one and the same, times included; directories are not looked into.
fn is_identical(one: &Node, two: &Node) -> bool {
    match (one, two) {
        (Node::Dir(one), Node::Dir(two)) => Arc::ptr_eq(one, two),
        (one, two) => one == two,
    }
}
