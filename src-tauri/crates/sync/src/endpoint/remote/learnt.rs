//! What a link knows of the other end's tree.

use std::io;
use std::sync::Arc;

use mizzen_sync_core::{Edit, Name, Node, RelPath, RuleTexts, Rules};

use super::few::ENTRIES_MAX;
use super::frames::senseless;
use super::message::View;
use super::place::edits;

/// The other end's tree, as far as it is carried by our rules.
pub(super) struct Learnt {
    rules: Rules,
    tree: Option<Node>,
    /// An upper bound of the entries in it.
    entries: u64,
    /// Whether all was told, by these rules.
    is_whole: bool,
}

impl Default for Learnt {
    fn default() -> Self {
        Self {
            rules: Rules::new(&RuleTexts::default()).expect("BUG: no pattern is a bad one"),
            tree: None,
            entries: 0,
            is_whole: false,
        }
    }
}

impl Learnt {
    /// Goes by other rules: what was told before is worth nothing.
    pub(super) fn obey(&mut self, rules: Rules) {
        *self = Self {
            rules,
            ..Self::default()
        };
    }

    /// Whether what is new is all that has to be told.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(super) fn tree(&self) -> Option<&Node> {
        self.tree.as_ref()
    }

    /// Takes what is new.
    pub(super) fn take(&mut self, view: &View) -> io::Result<()> {
        let mut edits = edits(&view.edits)?;
        for edit in &mut edits {
            let entry = edit.entry.take();
            edit.entry = entry.and_then(|entry| carried(&self.rules, &edit.path, entry));
        }
        let added = edits.iter().filter_map(|edit| edit.entry.as_ref());
        self.entries += added.map(Node::count).sum::<u64>();
        self.tree = Node::replaced(self.tree.as_ref(), &edits);
        if self.entries > ENTRIES_MAX {
            self.entries = self.tree.as_ref().map_or(0, Node::count);
        }
        if self.entries > ENTRIES_MAX {
            return Err(senseless(format!("more than {ENTRIES_MAX} entries")));
        }
        self.is_whole = true;
        Ok(())
    }

    /// Shares with a base what is identical in both.
    pub(super) fn share(&mut self, base: &Node) {
        self.tree = self.tree.as_ref().map(|tree| tree.sharing(base));
    }
}

/// An entry of the other end, as far as the rules carry it: the rules are ours.
fn carried(rules: &Rules, path: &RelPath, node: Node) -> Option<Node> {
    let is_dir = node.as_dir().is_some();
    if !path.is_root() && rules.check_whole(path, is_dir).is_err() {
        return None;
    }
    Some(carried_below(rules, path, node))
}

fn carried_below(rules: &Rules, path: &RelPath, node: Node) -> Node {
    let Node::Dir(dir) = &node else { return node };
    let mut dropped = Vec::new();
    let mut changed = Vec::new();
    for (name, child) in dir.iter() {
        let (path, is_dir) = (path.join(name), child.as_dir().is_some());
        if rules.check(&path, is_dir).is_err() {
            dropped.push(name.clone());
        } else if is_dir {
            let kept = carried_below(rules, &path, child.clone());
            if !is_one(&kept, child) {
                changed.push((name.clone(), kept));
            }
        }
    }
    let edit = |name: &Name, entry| Edit {
        path: RelPath::root().join(name),
        entry,
    };
    let dropped = dropped.iter().map(|name| edit(name, None));
    let changed = changed
        .iter()
        .map(|(name, node)| edit(name, Some(node.clone())));
    let edits: Vec<Edit> = dropped.chain(changed).collect();
    Node::replaced(Some(&node), &edits).unwrap_or(node)
}

fn is_one(one: &Node, two: &Node) -> bool {
    matches!((one, two), (Node::Dir(one), Node::Dir(two)) if Arc::ptr_eq(one, two))
}
