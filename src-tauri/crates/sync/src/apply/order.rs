//! What a plan makes, in the order in which it is made, and where the contents come from.

use std::collections::{HashMap, HashSet};

use mizzen_sync_core::{Change, Digest, Edit, File, Node, Plan, RelPath};

use super::Wish;
use super::moved::Moves;
use crate::entry::Stamp;
use crate::scan::{Known, Scan, Seen};
use crate::trash::{LARGE, Shelf};

/// So many bytes take as long to come as it takes to look through a large tree.
const WORTH_LOOKING: u64 = 256 * 1024;

/// The changes of a plan; those below a directory that another one creates are part of that one.
pub(crate) fn gathered(plan: &Plan) -> Vec<Change> {
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

/// The files that the other side is asked for, in the order in which it is: those that have contents which this side
/// does not hold.
pub(super) fn wanted(
    changes: &[Change],
    moves: &Moves,
    here: &HashMap<RelPath, Here>,
    shelf: &Shelf,
) -> Vec<Wish> {
    let mut wanted = Vec::new();
    for change in made(changes, moves) {
        let Some(new) = &change.new else { continue };
        let has_old = has_old_version(change);
        files(new, &change.path, &mut |file, path| {
            let (path, held) = (path(), shelf.held(&file.digest));
            let is_whole_here =
                here.contains_key(&path) || held.is_some_and(|held| held >= file.size);
            if file.size > 0 && !is_whole_here {
                wanted.push(Wish {
                    path,
                    file: *file,
                    is_part_here: has_old || held.is_some(),
                });
            }
        });
    }
    wanted
}

/// Whether a change replaces a file by one of which it may well hold the most.
pub(super) fn has_old_version(change: &Change) -> bool {
    let size = |node: &Option<Node>| node.as_ref().and_then(Node::as_file).map(|file| file.size);
    [&change.old, &change.new]
        .map(size)
        .iter()
        .all(|size| size.is_some_and(|size| size >= LARGE))
}

/// All files that a plan makes, with their contents.
pub(crate) fn all_new(plan: &Plan) -> HashMap<RelPath, File> {
    let mut all = HashMap::new();
    each_new_file(plan.changes.iter(), &mut |file, path| {
        all.insert(path(), *file);
    });
    all
}

/// Changes of which something is made ready.
fn made<'a>(changes: &'a [Change], moves: &'a Moves) -> impl Iterator<Item = &'a Change> {
    let changes = changes.iter().enumerate();
    changes.filter_map(|(number, change)| (!moves.comes(number)).then_some(change))
}

fn each_new_file<'a>(
    changes: impl Iterator<Item = &'a Change>,
    tell: &mut impl FnMut(&'a File, &dyn Fn() -> RelPath),
) {
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

/// Which new files this side holds the contents of already. What goes or is replaced is always looked through, all
/// else when it may save as much as the look costs.
pub(super) fn found_here(
    changes: &[Change],
    moves: &Moves,
    before: &Scan,
) -> HashMap<RelPath, Here> {
    let mut new = Vec::new();
    each_new_file(made(changes, moves), &mut |file, path| {
        if file.size > 0 {
            new.push((path(), *file));
        }
    });
    let mut held = Held {
        wanted: new.iter().map(|(_, file)| file.digest).collect(),
        ..Held::default()
    };
    for (number, change) in changes.iter().enumerate() {
        let Some(old) = &change.old else { continue };
        files(old, &change.path, &mut |file, path| {
            held.is_at(file, path);
            if change.new.is_none() && !moves.goes(number) {
                held.goes(file, path, before);
            }
        });
    }
    if new.iter().map(|(_, file)| file.size).sum::<u64>() >= WORTH_LOOKING {
        files(&before.tree(), &RelPath::root(), &mut |file, path| {
            held.is_at(file, path);
        });
    }
    let found = new.into_iter();
    let found = found.filter_map(|(path, file)| Some((path, held.take_for(&file)?)));
    found.collect()
}

/// Files whose contents are wanted.
#[derive(Default)]
struct Held {
    wanted: HashSet<Digest>,
    copies: HashMap<Digest, RelPath>,
    /// Those that go, by all that a new file has from them; each can become one.
    going: HashMap<(Digest, i64, bool), Vec<(RelPath, Stamp)>>,
}

impl Held {
    fn is_at(&mut self, file: &File, path: &dyn Fn() -> RelPath) {
        if self.wanted.contains(&file.digest) {
            self.copies.entry(file.digest).or_insert_with(path);
        }
    }

    fn goes(&mut self, file: &File, path: &dyn Fn() -> RelPath, before: &Scan) {
        if !self.wanted.contains(&file.digest) {
            return;
        }
        let path = path();
        let settled = |(node, seen): Known<'_>| match (node, seen) {
            (Node::File(file), Seen::File { instance, settled }) => {
                settled.then(|| Stamp::of(file, *instance))
            }
            _ => None,
        };
        if let Some(stamp) = before.get(&path).and_then(settled) {
            let key = (file.digest, file.mtime, file.executable);
            self.going.entry(key).or_default().push((path, stamp));
        }
    }

    fn take_for(&mut self, new: &File) -> Option<Here> {
        let key = (new.digest, new.mtime, new.executable);
        let moved = self.going.get_mut(&key).and_then(Vec::pop);
        match moved {
            Some((path, stamp)) => Some(Here::Moved(path, stamp)),
            None => self.copies.get(&new.digest).cloned().map(Here::Copied),
        }
    }
}
