//! What is remembered of a side, so that the next look is cheap.

use std::sync::Arc;

use mizzen_sync_core::{Dir, Name, Node};

use crate::entry::Instance;

/// A directory's entries, and beside each what else is remembered of it.
#[derive(Debug)]
pub(crate) struct SeenDir {
    pub(crate) dir: Arc<Dir>,
    beside: Box<[Seen]>,
}

#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// Whether its digest can be trusted for as long as nothing of its stamp has changed.
    File {
        instance: Instance,
        settled: bool,
    },
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
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Node, &Seen)> {
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

/// Remembers a directory; one that has not changed is the one that was remembered before, and what is in it is in memory once
/// when it is what both sides agreed on.
pub(super) fn remembered(
    entries: Vec<Entry>,
    before: Option<&Arc<SeenDir>>,
    agreed: Option<&Arc<Dir>>,
) -> Arc<SeenDir> {
    let mut dir = Vec::with_capacity(entries.len());
    let mut beside = Vec::with_capacity(entries.len());
    for (name, node, seen) in entries {
        dir.push((name, node));
        beside.push(seen);
    }
    let new = |dir: Vec<_>| match agreed.filter(|agreed| agreed.holds(&dir)) {
        Some(agreed) => agreed.clone(),
        None => Arc::new(Dir::new(dir)),
    };
    let Some(before) = before else {
        return SeenDir::new(new(dir), beside);
    };
    let is_same_tree = before.dir.holds(&dir);
    let is_same_beside = is_same_tree
        && before.beside.iter().zip(&beside).all(|pair| match pair {
            (
                Seen::File {
                    instance: one,
                    settled: first,
                },
                Seen::File {
                    instance: two,
                    settled: second,
                },
            ) => one == two && first == second,
            (Seen::Dir(one), Seen::Dir(two)) => Arc::ptr_eq(one, two),
            (Seen::Other, Seen::Other) => true,
            _ => false,
        });
    match (is_same_tree, is_same_beside) {
        (true, true) => before.clone(),
        (true, false) => SeenDir::new(before.dir.clone(), beside),
        (false, _) => SeenDir::new(new(dir), beside),
    }
}

/// The same, in which each directory that is identical to the one in a tree is that one: what is shared in memory need
/// not be compared again.
pub(super) fn sharing(seen: &Arc<SeenDir>, tree: &Arc<Dir>) -> Arc<SeenDir> {
    if Arc::ptr_eq(&seen.dir, tree) {
        return seen.clone();
    }
    let mut dir = Vec::with_capacity(seen.dir.len());
    let mut beside = Vec::with_capacity(seen.dir.len());
    for ((name, node), seen) in seen.dir.iter().zip(&seen.beside) {
        let (node, seen) = match (seen, tree.get(name.as_bytes())) {
            (Seen::Dir(below), Some(Node::Dir(other))) => {
                let shared = sharing(below, other);
                (Node::Dir(shared.dir.clone()), Seen::Dir(shared))
            }
            _ => (node.clone(), seen.clone()),
        };
        dir.push((name.clone(), node));
        beside.push(seen);
    }
    if tree.holds(&dir) {
        SeenDir::new(tree.clone(), beside)
    } else if seen.dir.holds(&dir) {
        seen.clone()
    } else {
        SeenDir::new(Arc::new(Dir::new(dir)), beside)
    }
}
