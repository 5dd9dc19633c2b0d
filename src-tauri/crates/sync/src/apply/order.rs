//! What a plan makes, in the order in which it is made, and where the contents come from.

use std::collections::HashMap;

use mizzen_sync_core::{Change, Digest, Edit, File, Node, Plan, RelPath};

use crate::entry::Stamp;
use crate::scan::{Scan, Seen};

/// The changes of a plan; those below a directory that another one creates are part of that one.
pub(super) fn gathered(plan: &Plan) -> Vec<Change> {
    let mut gathered: Vec<(Change, Vec<Edit>)> = Vec::with_capacity(plan.changes.len());
    for change in &plan.changes {
        let above = gathered.last_mut().filter(|(above, _)| {
            above.old.is_none()
                && matches!(above.new, Some(Node::Dir(_)))
                && change.old.is_none()
                && change.path.is_at_or_below(&above.path)
        });
        match above {
            Some((_, below)) => below.push(change.agreed()),
            None => gathered.push((change.clone(), Vec::new())),
        }
    }
    let whole = gathered.into_iter().map(|(change, below)| Change {
        new: below_each_other(&change, &below),
        ..change
    });
    whole.collect()
}

fn below_each_other(change: &Change, edits: &[Edit]) -> Option<Node> {
    if edits.is_empty() {
        return change.new.clone();
    }
    let edits = edits.iter().map(|edit| Edit {
        path: edit.path.below(&change.path).expect("BUG: it lies below"),
        entry: edit.entry.clone(),
    });
    Node::replaced(change.new.as_ref(), &edits.collect::<Vec<_>>())
}

/// Where on its own side the contents of a new file are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Here {
    /// In a file that goes: it becomes the new one, while it is the one that was seen.
    Moved(RelPath, Stamp),
    /// In another file.
    Copied(RelPath),
}

/// The files that a plan asks the other side for, in the order in which they are asked for: those that have contents
/// which this side, as it was seen, does not hold.
#[must_use]
pub fn wanted(plan: &Plan, before: &Scan) -> Vec<(RelPath, File)> {
    let changes = gathered(plan);
    let here = found_here(&changes, before);
    let mut wanted = Vec::new();
    each_new_file(&changes, &mut |file, path| {
        let path = path();
        if file.size > 0 && !here.contains_key(&path) {
            wanted.push((path, *file));
        }
    });
    wanted
}

fn each_new_file<'a>(changes: &'a [Change], tell: &mut impl FnMut(&'a File, &dyn Fn() -> RelPath)) {
    for change in changes {
        if let Some(new) = &change.new {
            files(new, &change.path, tell);
        }
    }
}

/// Tells files with a way to learn their paths. Those of a directory come before those of the directories in it.
fn files<'a>(
    node: &'a Node,
    path: &RelPath,
    tell: &mut impl FnMut(&'a File, &dyn Fn() -> RelPath),
) {
    match node {
        Node::File(file) => tell(file, &|| path.clone()),
        Node::Dir(dir) => {
            for (name, child) in dir.iter() {
                if let Node::File(file) = child {
                    tell(file, &|| path.join(name));
                }
            }
            for (name, child) in dir.iter().filter(|(_, child)| child.as_dir().is_some()) {
                files(child, &path.join(name), tell);
            }
        }
        Node::Link(_) | Node::Unsyncable(_) => {}
    }
}

/// Which new files this side holds the contents of already.
pub(super) fn found_here(changes: &[Change], before: &Scan) -> HashMap<RelPath, Here> {
    let tree = before.tree();
    if tree.as_dir().is_none_or(|dir| dir.is_empty()) {
        return HashMap::new();
    }
    let mut new = Vec::new();
    each_new_file(changes, &mut |file, path| {
        if file.size > 0 {
            new.push((path(), *file));
        }
    });
    let mut held: Vec<(Digest, Held)> = new
        .iter()
        .map(|(_, file)| (file.digest, Held::default()))
        .collect();
    held.sort_unstable_by_key(|(digest, _)| *digest);
    held.dedup_by_key(|(digest, _)| *digest);
    if held.is_empty() {
        return HashMap::new();
    }
    files(&tree, &RelPath::root(), &mut |file, path| {
        if let Ok(at) = held.binary_search_by_key(&file.digest, |(digest, _)| *digest) {
            held[at].1.copy.get_or_insert_with(path);
        }
    });
    for change in changes.iter().filter(|change| change.new.is_none()) {
        let Some(old) = &change.old else { continue };
        files(old, &change.path, &mut |file, path| {
            if let Ok(at) = held.binary_search_by_key(&file.digest, |(digest, _)| *digest) {
                held[at].1.goes(path(), file, before);
            }
        });
    }
    let found = new.into_iter().filter_map(|(path, file)| {
        let at = held.binary_search_by_key(&file.digest, |(digest, _)| *digest);
        let at = at.expect("BUG: made of the same files");
        let here = held[at].1.take_for(&file)?;
        Some((path, here))
    });
    found.collect()
}

/// Files with the same contents.
#[derive(Default)]
struct Held {
    copy: Option<RelPath>,
    /// Those that go; each can become one new file.
    going: Vec<(RelPath, File, Stamp)>,
}

impl Held {
    fn goes(&mut self, path: RelPath, file: &File, before: &Scan) {
        let seen = before.get(&path).map(|(_, seen)| seen);
        if let Some(Seen::File {
            stamp,
            settled: true,
        }) = seen
        {
            self.going.push((path, *file, *stamp));
        }
    }

    fn take_for(&mut self, new: &File) -> Option<Here> {
        let same = |file: &File| file.mtime == new.mtime && file.executable == new.executable;
        if let Some(at) = self.going.iter().position(|(_, file, _)| same(file)) {
            let (path, _, stamp) = self.going.swap_remove(at);
            return Some(Here::Moved(path, stamp));
        }
        self.copy.clone().map(Here::Copied)
    }
}
