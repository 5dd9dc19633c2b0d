//! What merges begin from.

use std::collections::HashSet;

use mizzen_fsx::PathError;
use mizzen_sync_core::{Digest, Edit, Node};

use super::{Link, merge};
use crate::base::Kept;

/// How many texts find no room before it is looked once more which are of no use.
const PATIENCE: u32 = 64;

impl Link {
    /// Keeps texts that took the place of others: people are at work on them, and so both sides may change them next.
    pub(super) fn keep_texts(&mut self, learnt: &[Edit]) -> Result<(), PathError> {
        let Some(base) = &self.base else {
            return Ok(());
        };
        let contents = self.sides.host.contents();
        for edit in learnt {
            let before = base.get(&edit.path).and_then(Node::as_file);
            let after = edit.entry.as_ref().and_then(Node::as_file);
            let (Some(_), Some(file)) = (before, after) else {
                continue;
            };
            let Some(text) = merge::text(&*contents, &edit.path, file) else {
                continue;
            };
            let mut kept = self.texts.keep(file.digest, &text)?;
            if kept == Kept::Full && self.crowded.is_multiple_of(PATIENCE) {
                self.texts.retain(&of_use(base, learnt))?;
                kept = self.texts.keep(file.digest, &text)?;
            }
            self.crowded = match kept {
                Kept::Full => self.crowded.wrapping_add(1),
                Kept::Yes | Kept::NoText => 0,
            };
        }
        Ok(())
    }
}

/// The contents that merges may begin from: those of the base, before and after it has learnt.
fn of_use(base: &Node, learnt: &[Edit]) -> HashSet<Digest> {
    let mut found = HashSet::new();
    collect(base, &mut found);
    let entries = learnt.iter().filter_map(|edit| edit.entry.as_ref());
    entries.for_each(|entry| collect(entry, &mut found));
    found
}

fn collect(node: &Node, found: &mut HashSet<Digest>) {
    match node {
        Node::File(file) => drop(found.insert(file.digest)),
        Node::Dir(dir) => dir.iter().for_each(|(_, child)| collect(child, found)),
        Node::Link(_) | Node::Unsyncable(_) => {}
    }
}
