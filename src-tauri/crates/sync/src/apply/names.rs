//! Names that a disk takes for each other: such that differ in case alone, mostly, or in how Unicode writes a letter.
//! And names that it cannot hold.
//!
//! Nobody keeps a list of such disks and their rules. Where a name is taken and no entry bears it, the disk has said it;
//! and so it has where an entry that stands there does not get a name that is free.

use std::collections::HashSet;
use std::io;

use mizzen_sync_core::{Change, Name, Node, RelPath, Unsyncable};

use super::{Failure, Why, gone_or, place};
use crate::root::{DirHandle, Directory, Root, Way, is_no_name};
use crate::scan::Scan;
use crate::spelling::Spellings;

/// Whether the name of a place stands for an entry that bears another.
pub(super) fn is_taken_for_another(dir: &DirHandle, path: &RelPath, before: &Scan) -> bool {
    let name = path.components().last().unwrap_or_default();
    matches!(dir.look(name), Ok(Some(_))) && is_borne_by_another(dir, path, before)
}

/// The same of a place at which something is found: it may have been seen there by another name as well.
fn is_borne_by_another(dir: &DirHandle, path: &RelPath, before: &Scan) -> bool {
    let Ok(listed) = dir.list() else {
        return false;
    };
    let mut listed: Vec<Name> = listed.into_iter().map(|entry| entry.name).collect();
    listed.sort();
    let Some(name) = path.names().last().filter(|name| listed.contains(name)) else {
        return true;
    };
    let seen = path
        .parent()
        .and_then(|parent| before.tree().get(&parent).cloned());
    let seen = seen.as_ref().and_then(Node::as_dir).into_iter().flatten();
    let spellings = Spellings::find(dir, listed.iter(), seen.map(|(name, _)| name));
    spellings.known(&name).is_some()
}

/// Why nothing was made in a directory that is new as well: what has the name there was made for another one.
pub(super) fn in_new_dir(why: Why) -> Why {
    match why {
        Why::System(error) if error.kind() == io::ErrorKind::AlreadyExists => collision(),
        // Known here: the directory is ours, and was made a moment ago.
        Why::System(error) if is_no_name(&error) || error.kind() == io::ErrorKind::NotFound => {
            impossible()
        }
        why => why,
    }
}

/// Why what stands in a directory under a name of ours does not get its own there.
pub(super) fn not_named(dir: &DirHandle, ours: &[u8], error: io::Error) -> Why {
    // Some disks find nothing under a name that they cannot hold, whatever they are asked for.
    let is_not_found = error.kind() == io::ErrorKind::NotFound;
    let is_impossible = is_not_found && matches!(dir.look(ours), Ok(Some(_)));
    match is_no_name(&error) || is_impossible {
        true => impossible(),
        false => gone_or(error),
    }
}

fn impossible() -> Why {
    Why::Unsyncable(Unsyncable::NameImpossible)
}

pub(super) fn collision() -> Why {
    Why::Unsyncable(Unsyncable::NameCollision)
}

/// Why nothing can be made at a place, where the disk says so before.
fn cannot_be(dir: &DirHandle, name: &[u8], path: &RelPath, before: &Scan) -> Option<Why> {
    match dir.look(name) {
        Ok(Some(_)) => is_borne_by_another(dir, path, before).then(collision),
        Err(error) if is_no_name(&error) => Some(impossible()),
        _ => None,
    }
}

/// Parts changes from those that make something under a name that cannot be, or is taken for that of an entry which
/// stays. Nothing is asked of the other side for them, in this cycle or the next.
pub(super) fn told_apart(
    root: &Root,
    changes: Vec<Change>,
    before: &Scan,
) -> (Vec<Change>, Vec<Failure>) {
    let goes = changes.iter().filter(|change| change.new.is_none());
    let goes: HashSet<_> = goes.map(|change| change.path.parent()).collect();
    let mut way = Way::new(root.handle());
    let mut failed = Vec::new();
    let told_apart = changes.into_iter().filter(|change| {
        // Where something goes as well, it may be that entry: that shows when it has gone.
        let is_sure = change.old.is_none() && !goes.contains(&change.path.parent());
        let stands = is_sure
            .then(|| place(&mut way, &change.path).ok())
            .flatten();
        let why = stands.and_then(|(dir, name)| cannot_be(&dir, name, &change.path, before));
        let is_possible = why.is_none();
        failed.extend(why.map(|why| Failure {
            path: change.path.clone(),
            why,
        }));
        is_possible
    });
    let told_apart = told_apart.collect();
    (told_apart, failed)
}
