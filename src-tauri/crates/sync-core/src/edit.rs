//! Changed copies of trees.

use std::sync::Arc;

use crate::name::{Name, RelPath, Walk};
use crate::tree::{Dir, Node};

/// One place in a tree, and what is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The place. Directories above it are made; where one above it is no directory, nothing changes.
    pub path: RelPath,
    /// What is to be there; none removes what is.
    pub entry: Option<Node>,
}

impl Node {
    /// A copy in which each edit, in their order, has put its entry in the place of what was there.
    #[must_use]
    pub fn replaced(node: Option<&Self>, edits: &[Edit]) -> Option<Self> {
        edited(node.cloned(), &by_components(edits), |_, new| new.cloned())
    }

    /// The same, but a directory that is put over a directory keeps what was in it.
    #[must_use]
    pub fn overlaid(node: Option<&Self>, edits: &[Edit]) -> Option<Self> {
        edited(node.cloned(), &by_components(edits), |old, new| {
            match (old, new) {
                (Some(old), Some(new)) => Some(overlay(&old, new)),
                (_, new) => new.cloned(),
            }
        })
    }
}

/// The edits that make of one tree the other when each replaces what was there. Times count; shared parts are not
/// looked at.
#[must_use]
pub fn differences(old: Option<&Node>, new: Option<&Node>) -> Vec<Edit> {
    let mut found = Vec::new();
    differ(old, new, &mut Walk::at(&RelPath::root()), &mut found);
    found
}

fn differ(old: Option<&Node>, new: Option<&Node>, walk: &mut Walk, found: &mut Vec<Edit>) {
    let (Some(Node::Dir(before)), Some(Node::Dir(after))) = (old, new) else {
        if old != new {
            let (path, entry) = (walk.path(), new.cloned());
            found.push(Edit { path, entry });
        }
        return;
    };
    if Arc::ptr_eq(before, after) {
        return;
    }
    let mut gone = before.iter().peekable();
    let mut of = |name: &Name, old: Option<&Node>, new: Option<&Node>| {
        let mark = walk.enter(name);
        differ(old, new, walk, found);
        walk.leave(mark);
    };
    for (name, new) in after.iter() {
        while let Some((name, old)) = gone.next_if(|(old, _)| old < name) {
            of(name, Some(old), None);
        }
        let old = gone.next_if(|(old, _)| old == name);
        of(name, old.map(|(_, old)| old), Some(new));
    }
    gone.for_each(|(name, old)| of(name, Some(old), None));
}

/// What is left of a path, and the entry that belongs there.
type Pending<'a> = (Vec<&'a [u8]>, Option<&'a Node>);

fn by_components(edits: &[Edit]) -> Vec<Pending<'_>> {
    let pending = edits.iter().map(|edit| {
        let mut names: Vec<&[u8]> = edit.path.components().collect();
        names.reverse();
        (names, edit.entry.as_ref())
    });
    pending.collect()
}

/// Carries out edits whose paths are left to go from here, last name first.
fn edited(
    mut node: Option<Node>,
    edits: &[Pending<'_>],
    place: impl Fn(Option<Node>, Option<&Node>) -> Option<Node> + Copy,
) -> Option<Node> {
    let mut below: Vec<Pending<'_>> = Vec::new();
    for (path, entry) in edits {
        if path.is_empty() {
            node = place(
                edited_below(node, std::mem::take(&mut below), place),
                *entry,
            );
        } else {
            below.push((path.clone(), *entry));
        }
    }
    edited_below(node, below, place)
}

fn edited_below(
    node: Option<Node>,
    mut edits: Vec<Pending<'_>>,
    place: impl Fn(Option<Node>, Option<&Node>) -> Option<Node> + Copy,
) -> Option<Node> {
    if edits.is_empty() {
        return node;
    }
    let none = Dir::default();
    let old = match &node {
        Some(Node::Dir(dir)) => dir,
        None if edits.iter().any(|(_, entry)| entry.is_some()) => &none,
        None | Some(Node::File(_) | Node::Link(_) | Node::Unsyncable(_)) => return node,
    };
    // Stable: edits of one place stay in their order.
    edits.sort_by(|(one, _), (two, _)| one.last().cmp(&two.last()));
    let mut entries = Vec::with_capacity(old.len());
    let mut kept = old.iter().peekable();
    for of_one_name in edits.chunk_by_mut(|(one, _), (two, _)| one.last() == two.last()) {
        let name = of_one_name[0]
            .0
            .last()
            .expect("BUG: an edit below has a name")
            .to_vec();
        for (path, _) in of_one_name.iter_mut() {
            path.pop();
        }
        while let Some(entry) = kept.next_if(|(kept, _)| kept.as_bytes() < &*name) {
            entries.push(entry.clone());
        }
        let (found, old) = match kept.next_if(|(kept, _)| kept.as_bytes() == name) {
            Some((name, node)) => (Some(name.clone()), Some(node.clone())),
            None => (None, None),
        };
        if let Some(new) = edited(old, of_one_name, place) {
            let name = found.unwrap_or_else(|| Name::new(name).expect("BUG: part of a path"));
            entries.push((name, new));
        }
    }
    entries.extend(kept.cloned());
    Some(Node::Dir(Arc::new(Dir(entries.into()))))
}

/// What is at a place after something was put over it.
fn overlay(old: &Node, new: &Node) -> Node {
    let (Node::Dir(before), Node::Dir(after)) = (old, new) else {
        return new.clone();
    };
    if Arc::ptr_eq(before, after) || before.is_empty() {
        return new.clone();
    }
    let mut entries = before.0.to_vec();
    for (name, node) in after.iter() {
        match before.find(name.as_bytes()) {
            Ok(at) => entries[at].1 = overlay(&before.0[at].1, node),
            Err(_) => entries.push((name.clone(), node.clone())),
        }
    }
    Node::Dir(Arc::new(Dir::new(entries)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::tree;

    fn path(text: &str) -> RelPath {
        RelPath::new(text.as_bytes()).unwrap()
    }

    fn edit(at: &str, entry: &str) -> Edit {
        let sketch = (!entry.is_empty()).then(|| tree(&format!("e{entry}")).unwrap());
        Edit {
            path: path(at),
            entry: sketch.and_then(|sketch| sketch.get(&path("e")).cloned()),
        }
    }

    #[test]
    fn a_changed_copy_shares_the_rest() {
        let old = tree("a/b=1 c/d=1").unwrap();
        let new = Node::replaced(Some(&old), &[edit("a/b", "=2")]).unwrap();
        assert!(new.same(&tree("a/b=2 c/d=1").unwrap()));
        let (Some(Node::Dir(one)), Some(Node::Dir(two))) =
            (old.get(&path("c")), new.get(&path("c")))
        else {
            panic!("directories")
        };
        assert!(Arc::ptr_eq(one, two));
    }

    #[test]
    fn entries_are_put_and_taken() {
        for (before, edits, after) in [
            ("", &[("a", "=1")][..], "a=1"),
            ("", &[("a/b/c", "=1")], "a/b/c=1"),
            ("a=1 b=1", &[("a", "")], "b=1"),
            ("a/b=1", &[("a/b", "")], "a/"),
            ("a=1", &[("a/b", "=2")], "a=1"),
            ("a=1", &[("x/y", "")], "a=1"),
            ("b=1", &[("c", "=3"), ("a", "=2")], "a=2 b=1 c=3"),
            (
                "",
                &[("a", "/"), ("a.b", "=1"), ("a/b", "=2")],
                "a/b=2 a.b=1",
            ),
            ("a/b=1", &[("a/c", "=2"), ("a", ""), ("a/d", "=3")], "a/d=3"),
            ("a=1", &[("a", "=2"), ("a", "=3")], "a=3"),
        ] {
            let before = tree(before);
            let edits: Vec<Edit> = edits.iter().map(|(at, entry)| edit(at, entry)).collect();
            let found = Node::replaced(before.as_ref(), &edits).unwrap();
            assert!(found.same(&tree(after).unwrap()), "{edits:?}: {found:?}");
        }
    }

    #[test]
    fn differences_lead_from_one_tree_to_the_other() {
        for (before, after, paths) in [
            ("a=1", "a=1", &[][..]),
            ("a=1", "a=2", &["a"]),
            ("a=1 b/c=1 b/d=1", "b/c=2 b/d=1 e/f=1", &["a", "b/c", "e"]),
            ("a/b=1", "a=1", &["a"]),
            ("", "a=1", &["a"]),
            ("-", "a=1", &[""]),
            ("b=1", "a=1 b=1 c=1", &["a", "c"]),
            ("a=1", "-", &[""]),
        ] {
            let trees = [before, after].map(tree);
            let found = differences(trees[0].as_ref(), trees[1].as_ref());
            let at: Vec<String> = found.iter().map(|edit| edit.path.to_string()).collect();
            let expected: Vec<String> = paths.iter().map(|at| path(at).to_string()).collect();
            assert_eq!(at, expected, "{before} -> {after}");
            assert_eq!(Node::replaced(trees[0].as_ref(), &found), trees[1]);
        }
    }

    #[test]
    fn only_an_overlaid_directory_keeps_what_was_in_it() {
        let (old, new) = (tree("d/a=1 d/b=1"), tree("d/b=2 d/c=2").unwrap());
        let edits = [Edit {
            path: path("d"),
            entry: new.get(&path("d")).cloned(),
        }];
        assert!(Node::replaced(old.as_ref(), &edits).unwrap().same(&new));
        let overlaid = Node::overlaid(old.as_ref(), &edits).unwrap();
        assert!(overlaid.same(&tree("d/a=1 d/b=2 d/c=2").unwrap()));
    }
}
